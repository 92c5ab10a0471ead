/** What everything in a simulated deployment stands on. */
import type { Choose } from '../../effect.ts'
import type { VirtualKernel } from '../../kernel.ts'
import type { Judge } from '../oracle/judge.ts'
import type { Step } from '../run.ts'

/** A run, as a deployment finds it: time and chance, the judge, and where to tell what happens. */
export interface Stage {
  readonly kernel: VirtualKernel
  readonly choose: Choose
  readonly judge: Judge
  /** Tells of something that happened, other than a port's effect. */
  readonly tell: (step: Told) => void
  /** Tells what deviates in the effect that is being applied, where that has a key of its own. */
  readonly deviates: (key: string, deviation: string) => void
  /** Names the column in which what this actor does is told. */
  readonly lane: (actor: string, lane: string) => void
  /** Notes that something has happened which should in some runs, so that soaking tells of what never does. */
  readonly mark: (name: string) => void
}

export type Told = Pick<Step, 'lane' | 'to' | 'operation' | 'subject' | 'key' | 'deviation' | 'answer'>
