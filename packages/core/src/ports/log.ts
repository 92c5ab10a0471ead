/** The port to whoever watches over what goes on: one entry for all that comes again, and for all that was given up. */
export type Log = (entry: { readonly level: 'warn' | 'error'; readonly [field: string]: unknown }) => void
