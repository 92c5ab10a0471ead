/** The grammar of projections: a list of places. */
import type { Item } from './attribute.ts'
import { demandDistinct, projected } from './document-path.ts'
import { type Bindings, remembered, type Tokens, takePath, type WrittenPath } from './expression.ts'

const takePaths = (tokens: Tokens): ReadonlyArray<WrittenPath> => {
  const paths = [takePath(tokens)]
  while (tokens.takes(',')) paths.push(takePath(tokens))
  return paths
}

const pathsOf = remembered('ProjectionExpression', takePaths)

/** What is answered of an item: all of it unless told. */
export const projectionOf = (expression: string | undefined, bindings: Bindings): ((item: Item) => Item) => {
  if (expression === undefined) return (item) => item
  const paths = pathsOf(expression).map((path) => bindings.path(path))
  demandDistinct('ProjectionExpression', paths)
  return (item) => projected(item, paths)
}
