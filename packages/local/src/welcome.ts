/** What a newcomer reads when the shop has opened: lines to paste. */

/** Where there is a DynamoDB, also how to look into it. */
export const welcome = (port: number, stripeUrl: string, dynamoDb?: string): string => {
  const at = `http://127.0.0.1:${port}`
  return `
The shop is open at ${at} (its API: ${at}/openapi.json). Ctrl-C closes it; it keeps nothing.
A simulated Stripe stands at ${stripeUrl}. Some lines to try:

  curl -s '${at}/ecommerce/products?category=tea'

  TOKEN=$(curl -s '${at}/dev/token?sub=ann' | sed 's/.*"token":"\\([^"]*\\)".*/\\1/')
  CART=$(curl -s -X POST ${at}/ecommerce/carts -H "Authorization: Bearer $TOKEN" \\
    -d '{}' | sed 's/.*"cartId":"\\([^"]*\\)".*/\\1/')
  curl -s -X POST ${at}/ecommerce/carts/$CART/lines -H "Authorization: Bearer $TOKEN" \\
    -d '{"sku":"tea-assam-100","quantity":2}'
  curl -s -X POST ${at}/ecommerce/carts/$CART/checkout -H "Authorization: Bearer $TOKEN" \\
    -H 'Idempotency-Key: my-first-order' -d '{"email":"ann@example.com","paymentMethod":"pm_card_visa",
      "address":{"name":"Ann","line1":"1 High St","city":"Oxford","postalCode":"OX1 1AA","country":"GB"}}'
  sleep 1; curl -s ${at}/ecommerce/orders -H "Authorization: Bearer $TOKEN"

Other ways to pay: pm_card_authenticationRequired (3-D Secure; follow payment.nextAction.redirectUrl of the order),
pm_card_chargeDeclined. An administrator's token: ${at}/dev/token?sub=root&roles=admin
${dynamoDb === undefined ? '' : lookInto(dynamoDb)}`
}

const lookInto = (dynamoDb: string): string => `
What is on record, from the root of the repository (its DynamoDB takes any credentials):

export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local
npx -y pnpm@12 everfold stream stock/tea-assam-100 --endpoint ${dynamoDb} \\
--config packages/local/src/everfold.config.ts
`
