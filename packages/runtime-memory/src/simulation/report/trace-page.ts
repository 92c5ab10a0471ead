/** A run, as a page to step through. */
import type { Run, Step } from '../run.ts'
import { elapsed } from './elapsed.ts'
import { involved, violatingStep } from './involved.ts'
import { placeOf, wordsOfPlace } from './place.ts'
import { encodePlan } from './plan-text.ts'
import { counted, printable } from './printable.ts'
import { SCRIPT } from './trace-script.ts'
import { STYLE } from './trace-style.ts'
import { nextAttempt, words } from './words.ts'

/** A browser shows no more at once with ease; of a longer run the last ones are shown. */
const MOST_STEPS = 5000

/**
 * A run as one page of HTML that steps through it: the lanes as columns, time downward, what deviated and what broke marked.
 *
 * It needs nothing beside itself, and fetches nothing. All that a run tells is data in it and becomes text alone. Of a run of
 * more than 5,000 steps it has the last 5,000.
 */
export const tracePage = (run: Run): string => {
  const told = { ...run, steps: run.steps }
  const { violation, plan } = told
  const verdict = violation === undefined ? 'All held' : `${violation.invariant} did not hold`
  const place = violation?.stack === undefined ? undefined : placeOf(violation.stack)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${html(`${verdict}: seed ${plan.seed}`)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1${violation === undefined ? '' : ' class="bad"'}>${html(verdict)}</h1>
${violation === undefined ? '' : `<p class="message">${html(violation.message)}</p>`}
${place === undefined ? '' : `<p class="place">at <code>${html(wordsOfPlace(place))}</code></p>`}
${deviationList(told)}
<details><summary>Seed ${html(plan.seed)}, ${html(counted(told.requests.length, 'request'))}, the plan to replay</summary>
<pre tabindex="0">${html(encodePlan(plan, told.requests))}</pre></details>
</header>
${CONTROLS}
<main>
<div id="trace"><div id="lanes" aria-hidden="true"></div>
<ol id="steps" role="listbox" tabindex="0" aria-label="Steps of the run, oldest first"></ol>
<p id="none" hidden>No step is left by this filter.</p></div>
<section id="panel" aria-label="The step in detail" aria-live="polite"><h2 id="what"></h2><dl id="fields"></dl></section>
</main>
<noscript><p>This page draws its steps by a script, and scripts are off here.</p></noscript>
<script type="application/json" id="run">${embedded(pageData(told))}</script>
<script>${SCRIPT}</script>
</body>
</html>
`
}

const deviationList = (run: Run): string => {
  const sentences = words(run)
  if (sentences.length === 0) return '<p>Nothing deviated from the benign.</p>'
  const items = sentences.map((sentence) => `<li>${html(sentence)}</li>`).join('')
  const open = sentences.length <= 5 ? ' open' : ''
  return `<details${open}><summary>${counted(sentences.length, 'deviation')}</summary><ol class="deviations">${items}</ol></details>`
}

const CONTROLS = `<div id="controls">
<div role="group" aria-label="Step through the run">
<button type="button" data-go="first">First</button>
<button type="button" data-go="back" aria-keyshortcuts="ArrowUp">← Back</button>
<button type="button" data-go="on" aria-keyshortcuts="ArrowDown">On →</button>
<button type="button" data-go="deviation" aria-keyshortcuts="d">Next deviation</button>
<button type="button" data-go="violation" aria-keyshortcuts="v">Violation</button>
</div>
<label>Filter <input id="text" type="search" placeholder="order/7, send, lost …" aria-keyshortcuts="/"></label>
<label><input id="involved" type="checkbox"> only what is involved</label>
<p id="count" role="status"></p>
<details id="chosen"><summary>Lanes</summary><div id="choice" role="group" aria-label="Show these lanes alone"></div></details>
</div>`

const pageData = (run: Run) => {
  const { steps, startMs, violation } = run
  const shown = steps.slice(-MOST_STEPS)
  const about = new Set(involved(run))
  const last = violatingStep(run)
  return {
    left: steps.length - shown.length,
    violation: last === undefined ? null : { step: last.number, invariant: violation?.invariant ?? '' },
    lanes: [...new Set(shown.flatMap(({ lane, to }) => (to === undefined ? [lane] : [lane, to])))],
    steps: shown.map((step) => stepData(step, run, about)),
    startMs,
  }
}

const stepData = (step: Step, { steps, startMs }: Run, about: ReadonlySet<Step>) => ({
  ...step,
  after: elapsed(step.timeMs - startMs),
  at: new Date(step.timeMs).toISOString(),
  involved: about.has(step),
  ...(step.deviation === undefined ? {} : { next: nextAttempt(steps, step)?.number ?? null }),
})

/** Data inside a script element: no `<` can end it or begin a comment. */
const embedded = (data: unknown): string => JSON.stringify(data, readable).replaceAll('<', '\\u003c')

/** What would turn the direction of a line shows as what it is. */
const readable = (_name: string, value: unknown): unknown =>
  typeof value === 'string' ? printable(value) : value

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

const html = (text: string): string =>
  printable(text).replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
