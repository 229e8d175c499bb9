import * as z from 'zod';
import { configObject } from './schema.ts';

/** The part of JSON Schema that the generated schema uses. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly required?: readonly string[];
}

const PLACEHOLDER = { $ref: '#/definitions/placeholder' };

/** What the schema says of texts as they are written: units and placeholders included. */
export function inputSchema(): JsonSchema {
  return z.toJSONSchema(configObject, { io: 'input', target: 'draft-7' }) as JsonSchema;
}

const mapValues = (record: Readonly<Record<string, JsonSchema>>): Record<string, JsonSchema> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, allowPlaceholders(value)]));

/** Lets every single value be a placeholder instead; mappings and lists stay what they are. */
const allowPlaceholders = (schema: JsonSchema): JsonSchema => {
  if (schema.type === 'object') {
    const rest = schema.additionalProperties;
    return {
      ...schema,
      ...(schema.properties === undefined ? {} : { properties: mapValues(schema.properties) }),
      ...(typeof rest === 'object' ? { additionalProperties: allowPlaceholders(rest) } : {}),
    };
  }
  if (schema.type === 'array')
    return schema.items === undefined ? schema : { ...schema, items: allowPlaceholders(schema.items) };
  const { description, default: fallback, ...value } = schema;
  return {
    ...(description === undefined ? {} : { description }),
    ...(fallback === undefined ? {} : { default: fallback }),
    anyOf: [...(schema.anyOf ?? [value]), PLACEHOLDER],
  };
};

/** The JSON Schema (draft 7) that editors use, as text for `config/tidegate.schema.json`. */
export function schemaText(): string {
  const schema = {
    ...allowPlaceholders(inputSchema()),
    title: 'Tidegate configuration',
    definitions: { placeholder: { type: 'string', pattern: '\\$\\{', description: 'Replaced from the environment.' } },
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}
