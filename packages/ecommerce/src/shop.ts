/** The shop as a service: everything of this package that a runtime interprets. */
import type { AnyProcess, Service } from '@everfold/core'
import * as Cart from './cart.ts'
import * as CartMerge from './cart-merge.ts'
import { cartRoutes } from './cart-routes.ts'
import * as Catalogue from './catalogue.ts'
import { catalogueRoutes } from './catalogue-routes.ts'
import * as Checkout from './checkout.ts'
import { mails, payments } from './gateways.ts'
import * as Notification from './notification.ts'
import * as Order from './order.ts'
import * as OrderFulfilment from './order-fulfilment.ts'
import { orderRoutes } from './order-routes.ts'
import * as Orders from './orders.ts'
import * as Payment from './payment.ts'
import * as PriceList from './price-list.ts'
import * as Product from './product.ts'
import * as Stock from './stock.ts'
import { defaultTerms, type Terms } from './terms.ts'

export const service = (terms: Terms = defaultTerms): Service => ({
  name: 'ecommerce',
  aggregates: [
    Product.aggregate,
    PriceList.aggregate,
    Stock.aggregate,
    Cart.aggregate,
    Order.aggregate,
    Payment.aggregate,
    Notification.aggregate,
  ],
  projections: [Catalogue.projection, Orders.projection],
  processes: [Checkout.process, CartMerge.process, OrderFulfilment.process] as ReadonlyArray<AnyProcess>,
  gateways: [payments, mails],
  routes: [...catalogueRoutes(terms), ...cartRoutes(terms), ...orderRoutes()],
})

export { mails, payments } from './gateways.ts'
export { STRIPE_HOOK } from './order-routes.ts'
export { defaultTerms, type Terms } from './terms.ts'
