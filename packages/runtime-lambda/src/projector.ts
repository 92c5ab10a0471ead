/** The projector: keeps the views of some projections up with the table's stream. */
import { type Projection, type ProjectPorts, projectAll } from '@everfold/core'
import { byRun, type WorkBatch } from './consumers/batch.ts'

export interface ProjectorOptions extends ProjectPorts {
  /** Of one view, the generation that is being built before the one that is read. */
  readonly projections: ReadonlyArray<Projection>
  /** How many streams are projected at once; 32 unless told. */
  readonly streams?: number
}

/**
 * A commit counts as taken in once every projection has it. What a batch's commits of one stream do to a row is one
 * write; what is there already changes nothing.
 */
export const projector = ({ projections, streams, ...ports }: ProjectorOptions): WorkBatch =>
  byRun(projectAll(projections, ports), streams)
