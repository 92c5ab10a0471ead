/** The shop's outgoing mail on this machine: kept, with its address opened, and sent nowhere. */
import { bind, type CommandId, E, type GatewayBinding, type KeyRing, text, unseal } from '@everfold/core'
import { type Notification, type Quantities, Shop } from '@everfold/ecommerce'

interface Mail {
  readonly messageId: string
  readonly to: string
  readonly template: string
  readonly data: ReadonlyArray<{ readonly name: string; readonly value: string }>
}

export interface Mailbox {
  readonly mails: ReadonlyMap<string, Mail>
  readonly binding: GatewayBinding
}

const Address = text('Address', { maxLength: 254 })

const ERASED = 'The shopper was erased.' as Quantities.Reason

/** Unlike a real provider's, this box honours the key: the same event leaves one mail. */
export const mailbox = (keys: KeyRing): Mailbox => {
  const mails = new Map<string, Mail>()
  const binding = bind(Shop.mails, ({ recorded: { event }, key }) => async () => {
    if (event._tag !== 'EmailRequested') return E.right(undefined)
    const { orderId, to, template, data } = event
    const address = await unseal(keys)(Address, to)()
    if (E.isLeft(address))
      return address.left._tag === 'Erased'
        ? E.right({ _tag: 'SuppressEmail', orderId, reason: ERASED })
        : E.left(address.left)
    mails.set(key, { messageId: key, to: address.right, template, data })
    return E.right({ _tag: 'RecordSent', providerMessageId: messageIdOf(key) })
  })
  return { mails, binding }
}

const messageIdOf = (key: CommandId) => key as string as Notification.ProviderMessageId
