/**
 * A model of a service: what a request makes of its state, and what is answered. Pure: time and what deviates from the
 * benign are arguments, and a state that was passed in is never changed, so that an older one can be read again.
 */
export interface Stepped<State, Answer> {
  readonly state: State
  readonly answer: Answer
}

/** When something happens to a model, and what about it is not benign. */
export interface At {
  /** Milliseconds since 1970. */
  readonly nowMs: number
  /** One of what the model offers for the request; absent for the benign. */
  readonly deviation?: string
}

export interface Model<State, Request, Answer> {
  readonly initial: State
  /** The deviations that the service's documents allow for this request in this state, in stable words. */
  offers(this: void, state: State, request: Request): ReadonlyArray<string>
  step(this: void, state: State, request: Request, at: At): Stepped<State, Answer>
}
