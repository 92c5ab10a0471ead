/** AWS's services for the tests, started once for a whole run. */
export { default } from '@everfold/aws-local/vitest'
