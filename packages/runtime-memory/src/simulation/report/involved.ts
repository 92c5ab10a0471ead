/** The part of a run that has to do with its violation and its deviations. */
import type { Run, Step } from '../run.ts'

/** The step after which the invariant did not hold. */
export const violatingStep = ({ steps, violation }: Run): Step | undefined =>
  violation === undefined ? undefined : steps.findLast(({ number }) => number <= violation.step)

/** Steps that deviated, and those about what the violation is about: streams that it names, or its step's subject. */
export const involved = (run: Run): ReadonlyArray<Step> => {
  const { steps, requests, violation } = run
  const last = violatingStep(run)
  const about = `${violation?.message ?? ''} ${last?.subject ?? ''}`
  const known = new Set([...requests.map(({ stream }) => stream), ...steps.map(({ subject }) => subject)])
  // What is no name of a stream, such as a number, may be in a message by accident.
  const named = [...known].filter((subject) => subject.includes('/') && names(about, subject))
  const subjects = named.length > 0 || last === undefined ? named : [last.subject]
  return steps.filter(
    (step) =>
      step === last ||
      step.deviation !== undefined ||
      subjects.some((subject) => names(step.subject, subject)),
  )
}

/** Whether a name stands in a text by itself: `order/1` does in `order/1@3`, and does not in `order/12`. */
const names = (text: string, name: string): boolean => {
  if (name === '') return false
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    const [before, after] = [text.charAt(at - 1), text.charAt(at + name.length)]
    if (!/[\p{L}\p{N}_:-]/u.test(before) && !/[\p{L}\p{N}_-]/u.test(after)) return true
  }
  return false
}
