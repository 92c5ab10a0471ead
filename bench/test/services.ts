/** AWS's services for the tests, started once for a whole run. */
export { default } from '../../packages/aws-local/src/vitest.ts'
