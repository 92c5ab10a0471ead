/** Clients of the SDK whose calls are made otherwise. */
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import type { dynamoEventStore } from '@everfold/runtime-lambda/event-store'
import type { dynamoViewStore } from '@everfold/runtime-lambda/view-store'

/** A command of the SDK, whatever its service. */
export interface AnyCommand {
  readonly input: Readonly<Record<string, unknown>>
}

/** Makes a call with this command or with another, and does with its answer what it likes. */
export type Tamper = (command: AnyCommand, send: (command: AnyCommand) => Promise<Answer>) => Promise<Answer>
export type Answer = Readonly<Record<string, unknown>>

export const tampered = <Client extends object>(client: Client, tamper: Tamper): Client => {
  const { send } = client as unknown as { readonly send: (command: AnyCommand) => Promise<Answer> }
  const own = (command: AnyCommand) => send.call(client, command)
  return Object.create(client, {
    send: { value: (command: AnyCommand) => tamper(command, own) },
  }) as Client
}

type StoreOptions = Parameters<typeof dynamoEventStore>[0] & Parameters<typeof dynamoViewStore>[0]

/** A store over another client. */
export const over =
  <Store>(tamper: Tamper, store: (options: StoreOptions) => Store) =>
  (options: Omit<StoreOptions, 'client'> & { readonly client: DynamoDBDocumentClient }): Store =>
    store({ ...options, client: tampered(options.client, tamper) })

/** The same kind of command with another input. */
export const withInput = (command: AnyCommand, input: Answer): AnyCommand =>
  new (command.constructor as new (input: Answer) => AnyCommand)(input)

export const isNamed = (command: AnyCommand, name: string): boolean => command.constructor.name === name

/** Whether a call failed because its condition did not hold. */
export const isConditionFailed = (error: unknown): boolean =>
  (error as { readonly name?: unknown } | null)?.name === 'ConditionalCheckFailedException'
