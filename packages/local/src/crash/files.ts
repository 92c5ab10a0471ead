/** Sales that are made up: a few products, and orders of one to three lines. */
const PRODUCTS = [
  'product_id,name,category,unit_price_cents,units_in_stock,reorder_level,discontinued',
  '1,Assam,tea,890,1000,0,0',
  '2,Sencha,tea,1450,1000,0,0',
  '3,Sidamo,coffee,1190,1000,0,0',
  '4,Cup,ware,700,1000,0,0',
]

const ORDERS =
  'order_id,customer_id,order_date,freight_cents,country,product_id,unit_price_cents,quantity,discount_percent'

const PRICES = [890, 1450, 1190, 700]

export const filesOf = (orders: number): { readonly products: string; readonly sales: string } => {
  const rows = Array.from({ length: orders }, (_, order) =>
    Array.from({ length: 1 + (order % 3) }, (__, line) => {
      const product = (order + line) % PRICES.length
      const date = new Date(Date.UTC(2026, 0, 1 + order)).toISOString().slice(0, 10)
      const discount = order % 4 === 0 ? 10 : 0
      return `${order + 1},CUST${order % 5},${date},${100 + order},Peru,${product + 1},${PRICES[product]},${1 + line},${discount}`
    }),
  ).flat()
  return { products: `${PRODUCTS.join('\n')}\n`, sales: `${[ORDERS, ...rows].join('\n')}\n` }
}
