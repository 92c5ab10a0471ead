/** The names of the shop's tables on this machine. */
export const tablesOf = ({ prefix = 'everfold' }: { readonly prefix?: string }) => ({
  events: `${prefix}-events`,
  views: `${prefix}-views`,
  keys: `${prefix}-keys`,
})
