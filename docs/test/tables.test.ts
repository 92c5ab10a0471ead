/** The tables of the domain pages name every command, event and rejection, and no other. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UnionType } from '@everfold/core'
import { Shop } from '@everfold/ecommerce'
import { describe, expect, test } from 'vitest'

const page = readFileSync(join(import.meta.dirname, '../../packages/ecommerce/README.md'), 'utf8')

/** The three cells of the table under the heading that names the aggregate's stream. */
const cellsOf = (name: string): ReadonlyArray<ReadonlyArray<string>> => {
  const [, row = ''] =
    new RegExp(`^### .*\`${name}/[^\\n]*\\n\\n\\|[^\\n]*\\n\\|[^\\n]*\\n(\\|[^\\n]*)`, 'm').exec(page) ?? []
  return row
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim().split(', '))
}

const tagsOf = (codec: unknown): ReadonlyArray<string> =>
  codec instanceof UnionType ? [...codec.variants.keys()] : []

describe('packages/ecommerce/README.md', () => {
  test.each(Shop.service().aggregates)('lists what $name does', ({ name, command, event, rejection }) => {
    expect(cellsOf(name)).toEqual([tagsOf(command), tagsOf(event), tagsOf(rejection)])
  })
})
