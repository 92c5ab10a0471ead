/** What the page of a trace does in a browser: plain JavaScript, which puts a run's texts into text nodes alone. */
export const SCRIPT = `
'use strict'
const run = JSON.parse(document.getElementById('run').textContent)
const byId = (id) => document.getElementById(id)
const element = (name, className, text) => {
  const made = document.createElement(name)
  if (className) made.className = className
  if (text !== undefined) made.textContent = text
  return made
}
const column = new Map()
const only = new Set()
let chosen = -1

const said = (step) => step.operation + ' ' + step.subject + (step.answer === undefined ? '' : ': ' + step.answer)
const way = (step) => (step.to === undefined ? step.lane : step.lane + ' \\u2192 ' + step.to)
const breaks = (step) => run.violation !== null && step.number === run.violation.step

const label = (step) => {
  const made = element('div', 'label')
  made.append(element('span', 'path', way(step)), element('span', 'said', said(step)))
  if (step.deviation !== undefined) made.append(' ', element('span', 'mark', '\\u2715 ' + step.deviation))
  if (breaks(step)) made.append(' ', element('span', 'mark', '\\u25c6 ' + run.violation.invariant + ' did not hold'))
  return made
}
/** Draws a step between the columns that its lanes have by now. */
const place = (step, made) => {
  const from = column.get(step.lane)
  const to = column.get(step.to === undefined ? step.lane : step.to)
  const [first, last] = [Math.min(from, to), Math.max(from, to)]
  const [line, arrow] = made.querySelector('.columns').children
  line.firstChild.style.flexBasis = ((first - 1) / column.size) * 100 + '%'
  arrow.className = first === last ? 'arrow self' : from === last ? 'arrow left' : 'arrow'
  arrow.style.gridColumn = first + ' / ' + (last + 1)
  arrow.style.marginInline = first === last ? '' : 'calc(50% / ' + (last - first + 1) + ')'
}
const row = (step, at) => {
  const made = element('li', 'step')
  made.id = 'step-' + step.number
  made.setAttribute('role', 'option')
  made.setAttribute('aria-selected', 'false')
  made.setAttribute('aria-label', ['step ' + step.number, 'after ' + step.after, way(step), said(step)]
    .concat(step.deviation === undefined ? [] : ['deviated: ' + step.deviation])
    .concat(breaks(step) ? [run.violation.invariant + ' did not hold'] : []).join(', '))
  made.classList.toggle('deviates', step.deviation !== undefined)
  made.classList.toggle('bad', breaks(step))
  const columns = element('div', 'columns')
  // The label begins where its lane is, and stays in sight where that is not: so it needs a line to move along.
  const line = element('div', 'line')
  line.append(element('div', 'before'), label(step))
  columns.append(line, element('div', 'arrow'))
  made.append(element('span', 'number', '#' + step.number), element('span', 'after', step.after), columns)
  made.addEventListener('click', () => choose(at))
  return made
}

const field = (name, value) => (value === undefined ? [] : [element('dt', '', name), element('dd', '', value)])
const attempt = (step) => {
  if (step.next === undefined || step.to === undefined) return []
  if (step.next === null) return field('Asked for again', 'never')
  const at = run.steps.findIndex(({ number }) => number === step.next)
  const made = element('dd')
  const button = element('button', '', 'step ' + step.next)
  button.type = 'button'
  button.addEventListener('click', () => choose(at))
  made.append(button)
  return [element('dt', '', 'Asked for again'), made]
}
/** Rows out of sight have guessed heights, so where a row is shows only once it has been scrolled to. */
const reveal = () => {
  const scroll = () => {
    if (rows[chosen] === undefined) return
    byId('trace').style.scrollPaddingTop = byId('lanes').offsetHeight + 'px'
    for (const part of [rows[chosen], rows[chosen].querySelector('.arrow')]) part.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }
  scroll()
  requestAnimationFrame(scroll)
}
const choose = (at) => {
  const step = run.steps[at]
  if (step === undefined) return
  if (rows[chosen] !== undefined) rows[chosen].setAttribute('aria-selected', 'false')
  chosen = at
  if (rows[at].hidden) {
    byId('text').value = ''
    byId('involved').checked = false
    only.clear()
    filter()
  }
  rows[at].setAttribute('aria-selected', 'true')
  reveal()
  byId('steps').setAttribute('aria-activedescendant', rows[at].id)
  byId('what').textContent = '#' + step.number + ' ' + way(step)
  byId('fields').replaceChildren(
    ...field('Deviated', step.deviation),
    ...field('Broke', breaks(step) ? run.violation.invariant : undefined),
    ...field('Operation', step.operation),
    ...field('Subject', step.subject),
    ...field('Answer', step.answer),
    ...attempt(step),
    ...field('After', step.after),
    ...field('Virtual time', step.at),
    ...field('Key', step.key),
  )
}

const texts = run.steps.map((step) =>
  [step.lane, step.to, step.operation, step.subject, step.answer, step.deviation, step.key].join('\\n').toLowerCase())
/** Gives columns to these lanes alone. */
const layOut = (lanes) => {
  column.clear()
  lanes.forEach((lane, at) => column.set(lane, at + 1))
  const longest = Math.max(...lanes.flatMap((lane) => lane.split(/[ -]/)).map((word) => word.length), 0)
  document.documentElement.style.setProperty('--count', String(Math.max(1, lanes.length)))
  document.documentElement.style.setProperty('--longest', String(Math.min(16, longest)))
  byId('lanes').querySelector('.columns').replaceChildren(...lanes.map((lane) => {
    const made = element('span', '', lane)
    made.title = lane
    return made
  }))
  run.steps.forEach((step, at) => {
    if (!rows[at].hidden) place(step, rows[at])
  })
}
const filter = () => {
  const text = byId('text').value.trim().toLowerCase()
  const involved = byId('involved').checked
  let shown = 0
  const lanes = new Set()
  run.steps.forEach((step, at) => {
    const lane = only.size === 0 || only.has(step.lane) || only.has(step.to)
    const visible = lane && texts[at].includes(text) && (!involved || step.involved)
    rows[at].hidden = !visible
    if (!visible) return
    shown += 1
    lanes.add(step.lane)
    if (step.to !== undefined) lanes.add(step.to)
  })
  layOut(run.lanes.filter((one) => lanes.has(one)))
  for (const button of byId('choice').children) button.setAttribute('aria-pressed', String(only.has(button.textContent)))
  byId('none').hidden = shown > 0
  const left = run.left === 0 ? '' : '; the first ' + run.left + ' of the run are left out'
  byId('count').textContent = shown + ' of ' + run.steps.length + ' steps' + left
}

const seek = (from, by, wanted) => {
  for (let at = from; at >= 0 && at < rows.length; at += by) if (!rows[at].hidden && wanted(run.steps[at])) return at
  return -1
}
const any = () => true
const deviates = (step) => step.deviation !== undefined
const places = {
  first: () => seek(0, 1, any),
  last: () => seek(rows.length - 1, -1, any),
  back: () => seek(chosen - 1, -1, any),
  on: () => seek(chosen + 1, 1, any),
  deviation: () => {
    const next = seek(chosen + 1, 1, deviates)
    return next < 0 ? seek(0, 1, deviates) : next
  },
  violation: () => run.steps.findIndex(breaks),
}
const go = (where) => choose(places[where]())

const keys = { ArrowDown: 'on', ArrowRight: 'on', ArrowUp: 'back', ArrowLeft: 'back', Home: 'first', End: 'last', d: 'deviation', v: 'violation' }
document.addEventListener('keydown', (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey) return
  const typing = event.target.matches('input, summary')
  if (event.key === '/' && !typing) {
    event.preventDefault()
    byId('text').focus()
  }
  if (typing || keys[event.key] === undefined) return
  event.preventDefault()
  go(keys[event.key])
})

byId('lanes').append(element('span', 'number', 'step'), element('span', 'after', 'after'), element('div', 'columns'))
byId('choice').append(...run.lanes.map((lane) => {
  const button = element('button', '', lane)
  button.type = 'button'
  button.addEventListener('click', () => {
    if (!only.delete(lane)) only.add(lane)
    filter()
  })
  return button
}))
const rows = run.steps.map(row)
byId('steps').append(...rows)
byId('text').addEventListener('input', filter)
byId('involved').addEventListener('change', filter)
addEventListener('resize', reveal)
document.querySelector('[data-go=violation]').disabled = run.violation === null
for (const button of document.querySelectorAll('[data-go]')) button.addEventListener('click', () => go(button.dataset.go))
byId('involved').checked = run.steps.some((step) => step.involved)
filter()
choose(run.violation === null ? Math.max(0, seek(0, 1, any)) : Math.max(0, run.steps.findIndex(breaks)))
`
