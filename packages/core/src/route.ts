export interface Route {
  readonly method: string
}
