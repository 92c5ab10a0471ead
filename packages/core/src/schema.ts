/**
 * JSON Schema (2020-12) of a codec: what OpenAPI documents publish and what a snapshot's fingerprint covers.
 */
import * as t from 'io-ts'
import { type Codec, IntegerType, ListType, RecordType, TextType, UnionType } from './codec.ts'

export type JsonSchema = { readonly [keyword: string]: unknown }

/** The schema of what `codec` accepts; `true`-like (`{}`) for a codec whose shape is not known. */
export const jsonSchema = (codec: Codec<unknown>): JsonSchema => {
  if (codec instanceof TextType)
    return {
      type: 'string',
      minLength: codec.minLength,
      maxLength: codec.maxLength,
      ...(codec.pattern === undefined ? {} : { pattern: codec.pattern.source }),
    }
  if (codec instanceof IntegerType) return { type: 'integer', minimum: codec.min, maximum: codec.max }
  if (codec instanceof ListType)
    return {
      type: 'array',
      items: jsonSchema(codec.item),
      minItems: codec.minItems,
      maxItems: codec.maxItems,
    }
  if (codec instanceof RecordType) return recordSchema(codec)
  if (codec instanceof UnionType) return { oneOf: [...codec.variants.values()].map(jsonSchema) }
  if (codec instanceof t.LiteralType) return { const: codec.value as unknown }
  if (codec instanceof t.KeyofType) return { type: 'string', enum: Object.keys(codec.keys as object) }
  if (codec instanceof t.BooleanType) return { type: 'boolean' }
  if (codec instanceof t.NullType) return { type: 'null' }
  if (codec instanceof t.StringType) return { type: 'string' }
  if (codec instanceof t.NumberType) return { type: 'number' }
  if (codec instanceof t.UnionType)
    return { anyOf: (codec.types as ReadonlyArray<Codec<unknown>>).map(jsonSchema) }
  if (codec instanceof t.ReadonlyArrayType || codec instanceof t.ArrayType)
    return { type: 'array', items: jsonSchema(codec.type as Codec<unknown>) }
  if (codec instanceof t.DictionaryType)
    return { type: 'object', additionalProperties: jsonSchema(codec.codomain as Codec<unknown>) }
  return {}
}

const recordSchema = (codec: RecordType<unknown>): JsonSchema => ({
  type: 'object',
  properties: Object.fromEntries(
    Object.entries({ ...codec.required, ...codec.optional }).map(([key, field]) => [key, jsonSchema(field)]),
  ),
  required: Object.keys(codec.required),
  additionalProperties: false,
})
