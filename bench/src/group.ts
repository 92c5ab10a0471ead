/** What a benchmark is: a group, the first segment of its results' names, that reports one result at a time. */

export type Result =
  /** A figure of ours; of one of several contenders, where it is one's own and needs no other beside it. */
  | { readonly name: string; readonly contender?: string; readonly value: number; readonly unit: string }
  /** Ours divided by theirs. */
  | { readonly name: string; readonly against: string; readonly ratio: number }

export interface Report {
  /** Prints the result as one line of JSON, at once. */
  readonly result: (result: Result) => void
  /** Says on standard error what is going on. */
  readonly progress: (text: string) => void
}

interface Options {
  /** The contender that counts as ours, where a group compares contenders; `everfold` unless told. */
  readonly ours?: string | undefined
}

/** A file in `groups/` exports one as `group`; the file's name is the group's. */
export interface Group {
  readonly run: (options: Options, report: Report) => Promise<void>
}

/** Four digits: more would be noise. */
export const rounded = (value: number): number => Number(value.toPrecision(4))
