/** The port to timers: each fires at or after its due time, at least once, unless it was canceled in time. */
import type { Json } from '../commit.ts'
import type { Fault } from '../fault.ts'
import type { TE } from '../fp.ts'

export interface Timer {
  /** Scheduling the same id again replaces nothing and adds nothing. */
  readonly id: string
  /** Milliseconds since 1970. */
  readonly dueMs: number
  readonly payload: Json
}

export interface TimerService {
  schedule(this: void, timer: Timer): TE.TaskEither<Fault, void>
  /** A timer that is already on its way may still fire. */
  cancel(this: void, id: string): TE.TaskEither<Fault, void>
}
