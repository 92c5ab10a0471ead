/** From the arguments to what a command says, whether it goes well or not. */
import { type Asked, requestOf } from './arguments.ts'
import { Failure, type Misuse } from './failure.ts'
import { print } from './print.ts'
import { COMMANDS, type CommandName, helpOf, isCommand, overview } from './usage.ts'

type Run = (asked: Asked) => Promise<void>

const load: { readonly [name in CommandName]: () => Promise<{ readonly run: Run }> } = {
  tables: () => import('./tables.ts'),
  stream: () => import('./stream.ts'),
  state: () => import('./state.ts'),
  why: () => import('./why.ts'),
  rebuild: () => import('./rebuild.ts'),
  republish: () => import('./republish.ts'),
  'dead-letters': () => import('./dead-letters.ts'),
}

/** Throws a `Misuse` or a `Failure` where it does not go well. */
export const perform = async (args: ReadonlyArray<string>): Promise<void> => {
  const request = requestOf(args)
  if (request._tag === 'Help') {
    const { command } = request
    return print(command === undefined ? overview() : helpOf(command))
  }
  const { run } = await load[request.command]()
  await run(request)
}

/** What a wrong argument should have been; advice of the message's own stands in its place. */
const adviceOf = (failure: Misuse | Failure, [name = '']: ReadonlyArray<string>): string | undefined => {
  if (failure.advice !== undefined || failure instanceof Failure) return failure.advice
  return isCommand(name)
    ? `${COMMANDS[name].synopsis}\n\`everfold ${name} --help\` says more.`
    : `\`everfold --help\` lists the commands.`
}

/** What is said of it on standard error. */
export const failureText = (failure: Misuse | Failure, args: ReadonlyArray<string>): string => {
  const { name: kind, message } = failure
  const advice = adviceOf(failure, args)
  const facts = failure instanceof Failure ? failure.facts : undefined
  return args.includes('--json')
    ? JSON.stringify({ error: { kind, message, advice, ...facts } })
    : [message, ...(advice === undefined ? [] : ['', advice])].join('\n')
}
