import { z } from 'zod';
import { serviceSchema as serviceFileSchema } from '../../definition/index.ts';

/** What `/v2` answers. Answers are typed by these schemas and never re-encoded by them. */

const revision = z.number().int().describe('A revision of the region; they only rise.');
const time = z.string().describe('ISO 8601, UTC.');
const durationMs = z.number().describe('Milliseconds.');
const names = z.array(z.string());
const document = z
  .record(z.string(), z.unknown())
  .describe('A definition in the form of a service file: docs/reference/service-file.md.');
const federation = z.string().describe('Services see each other within one federation.');
const health = z.string().describe('passing, warning, unknown, critical, draining or maintenance.');

const errorParts = {
  code: z.string().describe('Stable: programs decide by it.'),
  message: z.string(),
  hint: z.string().exactOptional().describe('How to mend it.'),
  place: z
    .object({
      file: z.string().exactOptional(),
      line: z.number().exactOptional(),
      column: z.number().exactOptional(),
      path: z.string().exactOptional(),
    })
    .exactOptional(),
  excerpt: z.string().exactOptional().describe('The lines around the place, with a caret.'),
};
export const problemSchema = z.object(errorParts);
export const errorSchema = z.object({
  error: problemSchema.extend({
    problems: z.array(problemSchema).exactOptional().describe('What is wrong one by one.'),
  }),
});

export const statusSchema = z.object({
  version: z.string(),
  region: z.string(),
  node: z.string().describe('The first node of this agent.'),
  nodes: names.describe('The nodes that this agent hosts.'),
  revision,
  ready: z
    .boolean()
    .describe('Its nodes are in the region and have been told what concerns them, and the store takes writes.'),
  store: z.object({
    engine: z.string(),
    leaderKnown: z.boolean().describe('It takes writes.'),
    full: z.boolean(),
    failure: z.string().exactOptional(),
  }),
  link: z
    .object({
      server: z.string().nullable().describe('Name of the server; null while there is none.'),
      url: z.string().nullable(),
      since: time.describe('Since when it is linked to that server, or cut off.'),
      cutOffSince: time.nullable().describe('null while it is linked.'),
    })
    .nullable()
    .describe('To which server an agent without one of its own is linked; null where the region is in this agent.'),
  partition: z
    .object({ server: z.string(), since: time, forMs: durationMs, why: z.string() })
    .nullable()
    .describe('An alarm: so many nodes vanished at once, on so thin evidence, that nobody is said to be down for now.'),
  snapshots: z
    .object({
      newest: z
        .object({ file: z.string(), revision, at: time })
        .nullable()
        .describe('The newest that this server has; null for none.'),
      failure: z.string().nullable().describe('Why the last attempt failed; null when it did not.'),
    })
    .nullable()
    .describe('Snapshots that servers save by themselves; null where they do not.'),
  http: z.string(),
  dns: z.string().nullable(),
});

export const serviceSchema = z.object({
  id: z.string(),
  federation,
  defined: z.boolean().describe('There is a definition of it; otherwise it is merely registered.'),
  public: z.boolean(),
  instances: z.number().int(),
  health: z
    .string()
    .describe(
      'none, passing, warning, what all instances are, critical when none gets traffic, or such as "2 of 3 passing".',
    ),
  requiredBy: names,
  reachedAt: z.string().describe('host:port on this machine, or the DNS name.'),
});
export const instanceSchema = z.object({
  node: z.string(),
  id: z.string(),
  address: z.string(),
  port: z.number().int(),
  health,
  tags: names,
});
export const serviceDetailSchema = serviceSchema.extend({
  definition: document.nullable(),
  instancesOf: z.array(instanceSchema),
  notes: names.describe('Cycles of requirements that it is part of.'),
});

export const nodeSchema = z.object({
  name: z.string(),
  address: z.string(),
  federation,
  status: z.string().describe('up, suspected, down or left.'),
  since: time.describe('Since when; empty where no agent vouches for it.'),
  evidence: z.string().exactOptional().describe('Why it is not up.'),
  dead: z
    .record(z.string(), z.string())
    .exactOptional()
    .describe('Of a suspected node, what probes found dead: instance → refused, silent or unseen.'),
  answering: names.exactOptional().describe('Of a node that is down, its instances that answer all the same.'),
  released: z.boolean().exactOptional().describe('An operator let it go.'),
  consumers: names.describe('What its agent runs: environment, balancer, listener.'),
  provisionGroup: z.string().nullable().describe('Of whom at most so many provision at once.'),
  runs: names.describe('Definitions that it is told to run.'),
  services: z.array(z.object({ id: z.string(), service: z.string(), health })),
  external: z.boolean().describe('Registered through the catalog: no agent vouches for it.'),
});

export const documentSchema = document;
export const appliedSchema = z.object({
  applied: names,
  warnings: names,
  notes: names.describe('Legal and worth saying: services that require each other.'),
});
export const removedDefinitionSchema = z.object({
  id: z.string(),
  federation,
  requiredBy: names.describe('Definitions that still require what it provided.'),
});

export const datastoreSchema = z.object({
  name: z.string(),
  federation,
  region: z.string().describe('`-`: every region without a value of its own.'),
  value: z.string().describe('`•••` unless revealed.'),
});
export const removedDatastoreSchema = datastoreSchema.omit({ value: true });

export const environmentSchema = z.object({
  service: z.string(),
  node: z.string(),
  revision,
  variables: z.array(
    z.object({
      name: z.string(),
      value: z.string().nullable().describe('null: unknown, or a secret that was not asked for.'),
      state: z.enum(['own', 'ready', 'waiting', 'stale', 'missing']),
      secret: z.boolean(),
      from: names.describe('What it was made from.'),
      unresolved: names.describe('Required names without a value.'),
    }),
  ),
});

const run = {
  startedAt: time,
  endedAt: time,
  exitCode: z.number().int().nullable().describe('null: a signal ended it, or its end was not seen.'),
  causes: names,
  revision,
  result: z.string(),
};
export const listenerSchema = z.object({
  enabled: z.boolean(),
  running: z.boolean(),
  queued: z.boolean().describe('One more is queued; never more than one.'),
  runs: z.number().int().describe('How many ended, ever.'),
  last: z.object(run).nullable(),
  configured: z.boolean(),
  causes: names.describe('What the queued run is for.'),
  held: z.string().nullable().describe('Why the queued run does not start.'),
  retryAt: time.nullable(),
});
export const provisionSchema = z.object({
  ...run,
  id: z.string(),
  hash: z.string().describe('Of the inputs that it was started with.'),
  signal: z.string().nullable(),
  succeeded: z.boolean(),
  logFile: z.string().describe('What it printed, on its node.'),
});

export const nodeProvisionsSchema = z.object({
  listener: listenerSchema.nullable().describe('null: it has none.'),
  provisions: z.array(provisionSchema).describe('The latest that ended, newest first.'),
});
export const deploymentSchema = z.object({
  group: z.string().nullable().describe('null: every node with a listener.'),
  atOnce: z.number().int().min(1),
  mostFailures: z.number().int().min(0).describe('More than so many end it.'),
  nodes: z
    .record(z.string(), z.enum(['waiting', 'running', 'done', 'failed']))
    .describe('In the order in which they are done, the first one alone.'),
  revision: z.number().int().min(0).describe('Where it stands in the store; 0 for a new one.'),
});

export const maintenanceSchema = z.object({
  node: z.string(),
  service: z.string().nullable().describe('null: the whole node.'),
  enabled: z.boolean(),
});

const kind = z.string().describe('environment, balancer, listener, dns, …');
export const traceConsumerSchema = z.object({
  node: z.string(),
  kind,
  state: z.enum(['arrived', 'late', 'held', 'failed', 'refused']),
  outcome: z.string().exactOptional(),
  tookMs: durationMs.exactOptional(),
  via: z.string().exactOptional().describe('The server that heard it and measured, where that is another one.'),
  reason: z.string().exactOptional(),
  retryAt: time.exactOptional(),
  down: z.boolean().exactOptional().describe('Its node is down, so nobody waits for it.'),
});
export const traceSchema = z.object({
  revision,
  at: time.describe('ISO 8601, UTC; empty when nothing that is followed changed.'),
  summary: names,
  author: z.string().exactOptional(),
  consumers: z.array(traceConsumerSchema),
  arrived: z.number().int(),
  of: z.number().int(),
  converged: z.boolean(),
});
export const convergedSchema = z.object({ converged: z.boolean(), pending: z.array(traceConsumerSchema) });
export const latenessSchema = z.object({ node: z.string(), kind, revision, forMs: durationMs });
export const balancerSchema = z
  .record(z.string(), z.unknown())
  .describe('Frontends with their members and sessions as HAProxy has them, what was skipped, errors.');
export const eventSchema = z
  .looseObject({ type: z.enum(['change', 'receipt', 'arrived', 'gap']), revision })
  .describe(
    'change: a revision and what it did. receipt: a consumer’s word. arrived: everyone has it. gap: earlier ones are forgotten.',
  );

export const historyValueSchema = z.object({
  text: z.string().exactOptional().describe('The value; of a definition its document; of a recursive delete its keys.'),
  base64: z.string().exactOptional().describe('A value that is not text.'),
  sha256: z.string().exactOptional().describe('Of a secret.'),
  flags: z.string().exactOptional().describe('Of a key, unless 0.'),
  keys: z.number().int().exactOptional().describe('How many a recursive delete took.'),
});
export const historyItemSchema = z.object({
  revision,
  kind: z.enum(['kv', 'kvtree', 'def', 'ds', 'acl']).describe('kvtree: a recursive delete.'),
  subject: z.string().describe('The key, or such as `default/api`.'),
  author: z.string().describe('`token` and its accessor, or where an unnamed request came from.'),
  at: time,
  change: z.enum(['created', 'changed', 'removed']),
  before: historyValueSchema.nullable().describe('null: it was not there.'),
  after: historyValueSchema.nullable().describe('null: it was removed.'),
  latest: z.boolean().describe('Nothing has changed it since.'),
});
export const undoneSchema = z.object({
  undone: names.describe('What was put back.'),
  lost: z.number().int().describe('Keys of a recursive delete that history did not keep.'),
});
export const checkTransitionSchema = z.object({
  n: z.number().int().describe('Counts the transitions of the check.'),
  revision,
  from: z.string(),
  status: z.string(),
  output: z.string().describe('At most 1 KB.'),
  at: time,
});

export const whySchema = z.object({
  accessor: z.string().describe('AccessorID of the token.'),
  allowed: z.boolean(),
  management: z.boolean().describe('A management token may everything.'),
  defaultPolicy: z.enum(['allow', 'deny']).describe('What is said where no rule speaks.'),
  rule: z
    .object({
      selector: z.string().describe('As it is written: `key_prefix "app/"`.'),
      policy: z.enum(['deny', 'read', 'list', 'write']),
      from: z.string().describe('Whose rule it is: `policy ops`.'),
      line: z.number().int().exactOptional(),
      column: z.number().int().exactOptional(),
    })
    .nullable()
    .describe('The rule that decided; null where none speaks.'),
});

/** Schemas that the OpenAPI document names. */
export const COMPONENTS: Readonly<Record<string, z.ZodType>> = {
  Error: errorSchema,
  Problem: problemSchema,
  Status: statusSchema,
  Service: serviceSchema,
  ServiceFile: serviceFileSchema,
  ServiceDetail: serviceDetailSchema,
  Instance: instanceSchema,
  Node: nodeSchema,
  Applied: appliedSchema,
  Datastore: datastoreSchema,
  Environment: environmentSchema,
  Listener: listenerSchema,
  TraceConsumer: traceConsumerSchema,
  Trace: traceSchema,
  Converged: convergedSchema,
  Event: eventSchema,
  HistoryItem: historyItemSchema,
  HistoryValue: historyValueSchema,
  CheckTransition: checkTransitionSchema,
  Why: whySchema,
};
