/** The services of this project's tests: `inject('endpoints')` says where they are. */
export { default } from '../src/vitest.ts'
