import { z } from 'zod';
import { CONSUMER_KINDS } from '../change/index.ts';
import type { AliveRecord, CheckRecord, InstanceRecord, NodeRecord, Transition } from '../registry/index.ts';

/** Controls of ASCII and of C1: no name has them (decision 121). */
const CONTROL = /[\p{Cc}\u2028\u2029]/u;

const textOf = (bytes: number) =>
  z
    .string()
    .min(1)
    .refine((text) => Buffer.byteLength(text) <= bytes, `has more than ${bytes} bytes`)
    .refine((text) => !CONTROL.test(text), 'holds a control character');

/** Names, ids and addresses, as the API takes them. */
const name = textOf(255);
/** Ids of checks are made of those of services. */
const checkId = textOf(512);
const nameOrNone = z.union([z.literal(''), name]);
const words = z.string().max(16_384);
const id = z.int().nonnegative();
const port = z.int().min(0).max(65_535);
const texts = z.record(z.string(), words);
const status = z.enum(['passing', 'warning', 'critical', 'unknown']);

/** What one node has at most. */
const MOST_RECORDS = 100_000;
const MOST_TAGS = 1_024;
const MOST_CHOICES = 10_000;

const node = z.object({
  name,
  id: name,
  address: nameOrNone,
  taggedAddresses: texts,
  meta: texts,
  datacenter: name,
  federation: name,
  runs: z.array(name).max(MOST_TAGS).readonly(),
  balancer: z.object({ address: name }).nullable(),
  consumers: z
    .array(z.enum(['environment', 'balancer', 'listener']))
    .max(3)
    .readonly(),
  membership: z.boolean().exactOptional(),
  provisionGroup: nameOrNone.exactOptional(),
  agentVersion: words.exactOptional(),
}) satisfies z.ZodType<Omit<NodeRecord, 'external'>>;

const instance = z.object({
  id: name,
  service: name,
  tags: z.array(words).max(MOST_TAGS).readonly(),
  address: nameOrNone,
  port,
  meta: texts,
  weights: z.object({ passing: port, warning: port }),
  enableTagOverride: z.boolean(),
  taggedAddresses: z.record(z.string(), z.object({ address: nameOrNone, port })),
  kind: words.exactOptional(),
  socketPath: words.exactOptional(),
  draining: z.boolean().exactOptional(),
}) satisfies z.ZodType<InstanceRecord>;

const check = z.object({
  id: checkId,
  name: words,
  serviceId: nameOrNone,
  status,
  output: words,
  notes: words,
  type: words,
  interval: words,
  timeout: words,
  definition: z.record(z.string(), z.unknown()),
  since: words,
}) satisfies z.ZodType<CheckRecord>;

/** An agent says of its own node's liveness only that it is up or leaves. */
const alive = z.object({
  status: z.enum(['up', 'left']),
  since: words,
  evidence: words.exactOptional(),
}) satisfies z.ZodType<AliveRecord>;

const transition = z.discriminatedUnion('type', [
  z.object({ type: z.literal('node'), node }),
  z.object({ type: z.literal('instance'), instance, checks: z.array(check).max(MOST_TAGS).readonly() }),
  z.object({ type: z.literal('instance-gone'), id: name }),
  z.object({ type: z.literal('check'), check }),
  z.object({ type: z.literal('check-gone'), id: checkId }),
  z.object({ type: z.literal('alive'), alive }),
]) satisfies z.ZodType<Transition>;

const digests = z
  .array(z.tuple([name, z.string().max(64)]).readonly())
  .max(MOST_RECORDS)
  .readonly();
const registrationDigests = z.object({ instances: digests, checks: digests });
const choice = z.object({ instance: words, value: words });
const receipt = z.object({
  node: words,
  kind: z.enum(CONSUMER_KINDS),
  revision: id,
  outcome: z.enum(['applied', 'unchanged', 'refused', 'failed', 'held']),
  reason: words.exactOptional(),
  retryAt: words.exactOptional(),
});

/** Messages of both ends that ask and answer. */
export const QUESTION_SCHEMAS = [
  z.object({ type: z.literal('ask'), id, kind: z.string().max(64), ask: z.unknown() }),
  z.object({ type: z.literal('answer'), id, answer: z.unknown() }),
  z.object({
    type: z.literal('answer-error'),
    id,
    code: z.string().max(64),
    status: z.int(),
    message: words,
    hint: words.exactOptional(),
  }),
] as const;

/** Every message of a node, shape by shape. */
export const nodeMessageSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('hello'),
    protocol: z.int(),
    node: name,
    epoch: id,
    // Who does not say which agent it is could be any: names are kept by it.
    agent: z.string().min(1).max(64),
    record: node,
    digests: registrationDigests,
    choices: z.record(words, choice).refine((all) => Object.keys(all).length <= MOST_CHOICES, 'has too many'),
  }),
  z.object({ type: z.literal('report'), id, transitions: z.array(transition).max(MOST_RECORDS).readonly() }),
  z.object({ type: z.literal('sync'), id, digest: z.string().max(64) }),
  z.object({ type: z.literal('details'), id, record: node, digests: registrationDigests }),
  z.object({
    type: z.literal('give'),
    id,
    instances: z.array(instance).max(MOST_RECORDS).readonly(),
    checks: z.array(check).max(MOST_RECORDS).readonly(),
  }),
  z.object({ type: z.literal('receipt'), receipt }),
  ...QUESTION_SCHEMAS,
  z.object({ type: z.literal('ping') }),
]);
