/** The configuration of the tests: the shop, on tables of their own. */
import { Shop } from '@everfold/ecommerce'
import type { Configuration } from '../../src/operations/index.ts'

export default {
  service: Shop.service(),
  tables: { events: 'cli-events', views: 'cli-views' },
  region: 'us-east-1',
  bus: { name: 'shop', source: 'everfold.shop' },
} satisfies Configuration
