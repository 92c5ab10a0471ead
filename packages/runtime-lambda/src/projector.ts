/** The projector: keeps the views of some projections up with the table's stream. */
import { E, type Fault, type Projection, type ProjectPorts, project } from '@everfold/core'
import { byStream, type WorkBatch } from './consumers/batch.ts'

export interface ProjectorOptions extends ProjectPorts {
  readonly projections: ReadonlyArray<Projection>
  /** How many streams are projected at once; 32 unless told. */
  readonly streams?: number
}

/** A commit counts as taken in once every projection has it; a projection that has it already changes nothing. */
export const projector = ({ projections, streams, ...ports }: ProjectorOptions): WorkBatch => {
  const projects = projections.map((projection) => project(projection, ports))
  return byStream(
    (commit) => async () => {
      const projected = await Promise.all(projects.map((take) => take(commit)()))
      return projected.find(E.isLeft) ?? (E.right(undefined) as E.Either<Fault, void>)
    },
    streams,
  )
}
