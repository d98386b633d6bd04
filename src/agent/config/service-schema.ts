import { z } from 'zod';
import { checkSchema } from '../../definition/index.ts';
import { text } from './formats.ts';

const port = z.int('expected a port from 0 to 65535').min(0).max(65_535);
const weight = z.int().min(0).max(65_535);

const weights = z
  .preprocess(
    (value) => inSnakeCase(value, ['passing', 'warning']),
    z.strictObject({
      passing: weight.min(1).optional().describe('Share of traffic while passing; default 1.'),
      warning: weight.optional().describe('Share of traffic while warning; default 1.'),
    }),
  )
  .describe('Shares of traffic by status: `passing` and `warning`; default 1 each.');

const taggedAddress = z.preprocess(
  (value) => inSnakeCase(value, ['address', 'port']),
  z.strictObject({ address: text.optional(), port: port.optional() }),
);

/** Keys of Consul's service mesh and enterprise edition: accepted and kept out. */
const foreign = z.unknown().optional();

const fields = {
  id: text.describe('Id of the instance on its node; default its name.').optional(),
  name: text.describe('Name of the service: what DNS and the definitions call it.'),
  tags: z.array(z.string()).describe('Tags, by which DNS and the catalog can ask.').optional(),
  address: z.string().describe('Address of the instance; default its node’s.').optional(),
  port: port.describe('Port of the instance.').optional(),
  meta: z.record(z.string(), z.string()).describe('Metadata: at most 64 pairs.').optional(),
  weights: weights.optional(),
  tagged_addresses: z.record(z.string(), taggedAddress).describe('More addresses by tag, as in Consul.').optional(),
  enable_tag_override: z.boolean().describe('Lets the catalog’s tags differ from these.').optional(),
  kind: z.string().describe('Consul’s kind of a proxy or gateway; shown, without meaning here.').optional(),
  check: checkSchema.optional().describe('The check of the service.'),
  checks: z.array(checkSchema).describe('Several checks of the service.').optional(),
  token: z.string().describe('Accepted as Consul has it; the ACL of the agent applies.').optional(),
  socket_path: foreign,
  proxy: foreign,
  connect: foreign,
  namespace: foreign,
  partition: foreign,
  locality: foreign,
  ports: foreign,
} as const;

const serviceObject = z.strictObject(fields);

/** A service of a configuration file: Consul's keys in snake_case or CamelCase. */
export const serviceSchema = z.preprocess((value) => inSnakeCase(value, Object.keys(fields)), serviceObject);

/** The same without the keys that mean nothing here, for the manual. */
export const serviceManualSchema = serviceObject.omit({
  socket_path: true,
  proxy: true,
  connect: true,
  namespace: true,
  partition: true,
  locality: true,
  ports: true,
});

/** Known keys under the schema's name for them, however they are spelled; unknown ones as they are. */
function inSnakeCase(value: unknown, known: readonly string[]): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  const names = new Map(known.map((key) => [squeezed(key), key]));
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== null)
      .map(([key, inner]): [string, unknown] => [names.get(squeezed(key)) ?? key, inner]),
  );
}

function squeezed(key: string): string {
  return key.replaceAll('_', '').toLowerCase();
}
