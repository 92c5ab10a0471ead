/** The shop of `pnpm start --store dynamodb`, as `everfold` needs to know it. */
import { Shop } from '@everfold/ecommerce'
import type { Configuration } from '@everfold/runtime-lambda/operations'
import { tablesOf } from './tables.ts'

export default { service: Shop.service(), tables: tablesOf({}), region: 'us-east-1' } satisfies Configuration
