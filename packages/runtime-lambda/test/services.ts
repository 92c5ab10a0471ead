/** The services of this project's tests: `inject('endpoints')` says where they are. */
export { default } from '../../aws-local/src/vitest.ts'
