import { z } from 'zod';
import { serviceSchema } from './schema.ts';

/** JSON Schema as far as the manual reads it. */
interface JsonSchema {
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly required?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
}

/** The JSON Schema of the service file, by which editors complete and check it. */
export function serviceFileSchema(): Readonly<Record<string, unknown>> {
  const schema = z.toJSONSchema(serviceSchema, { io: 'input', unrepresentable: 'any' });
  return { $schema: schema.$schema, title: 'drover service file', ...schema };
}

/** `docs/reference/service-file.schema.json`. */
export function serviceFileSchemaText(): string {
  return `${JSON.stringify(serviceFileSchema(), null, 2)}\n`;
}

/** `docs/reference/service-file.md`: each key with its form and meaning, from the schema itself. */
export function serviceFileManual(): string {
  const schema = serviceFileSchema() as JsonSchema;
  const check = schema.properties?.['checks']?.items ?? {};
  return `${INTRODUCTION}
## Keys

${table(schema)}

## A check

Exactly one of \`http\`, \`tcp\`, \`udp\`, \`grpc\`, \`h2ping\`, \`args\`, \`script\`, \`docker_container_id\` (with \`args\` or \`script\`), \`os_service\`, an alias
(\`alias_service\`, \`alias_node\` or both) and \`ttl\`; all but \`ttl\` and an alias need \`interval\`. Keys may also be written as Consul's API has them (\`TLSSkipVerify\`).
What says what to reach or run may hold \`{HOST}\`, \`{PORT}\` and the other built-ins; other braces are left alone. Durations are text such as
\`10s\` or \`1m30s\`; a number is nanoseconds, as on Consul's wire.

A UDP check is weak, as Consul's is: most services do not answer an empty datagram, so silence for the whole \`timeout\` (default 10 s) is passing, and a host that is gone or
that drops packets is passing too. Only a port that is refused is critical. Where the service speaks a protocol, ask it with \`args\`.

${table(check)}
${EXAMPLES}`;
}

/** The keys of a map's schema as a table in Markdown: each with its form and its meaning, for other files' manuals. */
export function keyTable(schema: z.ZodType): string {
  return table(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema);
}

const INTRODUCTION = `# The service file

<!-- Generated from the schema by \`npm run generate\`: change src/definition, not this file. -->

One file describes one service: what it needs, what it offers, how it is checked and how it runs. The file is named after the service's \`id\` and ends in \`.json\` (comments are
allowed), \`.json5\`, \`.yaml\` or \`.yml\`; it has at most 1 MiB. Unknown keys are errors. Editors complete and check it with
\`service-file.schema.json\` beside this page.
`;

const EXAMPLES = `
## Example

\`\`\`json
{
  "id": "app-www",
  "run_list": ["nginx::default", "php::fpm"],
  "environment": { "ENV": "production", "PORT": 8080 },
  "requires": { "DATABASE_URL": "{PRIMARY_DATABASE_URL}", "API_URL": "{READONLY_API_URL}" },
  "provides": { "WWW_URL": "http://{HOST}:{PORT}/some-mount" },
  "local_port": 8080,
  "public": true,
  "status": "/status"
}
\`\`\`

Apply one file, or a folder of them: \`drover service:apply data_bags/service/\`. Everything is applied, or nothing.

## Datastores

What no service provides comes from *datastores*. \`drover datastore:import FILE\` reads a map of names to values, in the same formats, with values per region
and per federation where they differ; values are secrets and never shown in errors:

\`\`\`json
{
  "PRIMARY_DATABASE_URL": "mysql://user:password@host:3306/app",
  "regions": { "aws": { "PRIMARY_DATABASE_URL": "mysql://user:password@host.aws:3306/app" } },
  "federations": { "staging": { "PRIMARY_DATABASE_URL": "mysql://user:password@staging:3306/app" } }
}
\`\`\`
`;

function table(schema: JsonSchema): string {
  const rows = Object.entries(schema.properties ?? {}).map(([key, field]) => {
    const required = schema.required?.includes(key) === true ? ' **Required.**' : '';
    return `| \`${key}\` | ${formOf(field)} | ${escapeCell(field.description ?? '')}${required} |`;
  });
  return ['| key | form | meaning |', '| --- | --- | --- |', ...rows].join('\n');
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function formOf(schema: JsonSchema): string {
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(' or ');
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(formOf))].join(' or ');
  if (Array.isArray(schema.type)) return schema.type.map((type) => formOf({ type })).join(' or ');
  switch (schema.type) {
    case 'array':
      return `list of ${schema.items?.properties === undefined ? plural(formOf(schema.items ?? {})) : 'maps'}`;
    case 'object':
      return typeof schema.additionalProperties === 'object' ? `map to ${formOf(schema.additionalProperties)}` : 'map';
    case 'integer':
      return 'whole number';
    case 'string':
      return 'text';
    case 'boolean':
      return '`true` or `false`';
    default:
      return typeof schema.type === 'string' ? schema.type : 'anything';
  }
}

function plural(form: string): string {
  return form === 'text' || form === 'map' ? `${form}s` : form;
}
