import type { Definition } from '../definition/index.ts';
import { FakeClock } from '../lib/index.ts';
import type { Clock } from '../lib/index.ts';
import { MemoryStore } from '../store/index.ts';
import type { Entry, Put, Store } from '../store/index.ts';
import { Catalog } from './catalog.ts';
import { ANY_REGION } from './declarations.ts';
import type { Projection } from './feed.ts';
import { aliveKey, checkKey, datastoreKey, definitionKey, instanceKey, nodeKey } from './keys.ts';
import { NODE_MAINTENANCE, serviceMaintenance } from './records.ts';
import type { AliveRecord, CheckRecord, CheckStatus, InstanceRecord, NodeRecord } from './records.ts';
import { Registry } from './registry.ts';
import { StoreFeed } from './store-feed.ts';

/** A definition of which only the id must be said. */
export type DefinitionLiteral = Pick<Definition, 'id'> & Partial<Definition>;

/** An instance; a string is its service name. `status` makes a check `service:<id>` of that status. */
export interface InstanceLiteral extends Partial<InstanceRecord> {
  readonly service: string;
  readonly status?: CheckStatus;
  /** Check id → status. */
  readonly checks?: Readonly<Record<string, CheckStatus>>;
  readonly maintenance?: boolean;
}

export interface NodeLiteral extends Partial<Omit<NodeRecord, 'name'>> {
  readonly name: string;
  readonly alive?: AliveRecord['status'];
  readonly services?: readonly (string | InstanceLiteral)[];
  /** Checks of the node itself: id → status. */
  readonly checks?: Readonly<Record<string, CheckStatus>>;
  readonly maintenance?: boolean;
}

export interface DatastoreLiteral {
  readonly name: string;
  readonly value: string;
  readonly federation?: string;
  /** Every region unless told. */
  readonly region?: string;
}

/** A region written down by hand. Strings among `nodes` are names; datastores can be a record of name → value. */
export interface RegionLiteral {
  readonly region?: string;
  readonly nodes?: readonly (string | NodeLiteral)[];
  readonly definitions?: readonly DefinitionLiteral[];
  readonly datastores?: Readonly<Record<string, string>> | readonly DatastoreLiteral[];
}

export const TEST_REGION = 'aws';

/** A catalog that stands at a revision of its own for each entry, without a store behind it. */
export function catalogOf(literal: RegionLiteral = {}): Catalog {
  const catalog = new Catalog({ region: literal.region ?? TEST_REGION });
  const entries = putsOf(literal).map(({ key, value }, index): Entry => ({
    key,
    value,
    createRevision: index + 2,
    modRevision: index + 2,
  }));
  catalog.load(
    entries.toSorted((a, b) => (a.key < b.key ? -1 : 1)),
    entries.length + 1,
  );
  return catalog;
}

export interface TestRegistryOptions extends RegionLiteral {
  /** A FakeClock unless told. */
  readonly clock?: Clock;
  /** A MemoryStore of its own unless told; one that is given is not closed. */
  readonly store?: Store;
  /** The name of the server that writes; none unless told. */
  readonly server?: string;
  /** More projections for the feed, such as `kv`. */
  readonly projections?: readonly Projection[];
}

/** A whole region in memory. */
export interface TestRegistry extends AsyncDisposable {
  readonly store: Store;
  readonly clock: Clock;
  readonly feed: StoreFeed;
  readonly catalog: Catalog;
  readonly registry: Registry;
  /** What the feed and the catalog reported; tests expect it to be empty. */
  readonly errors: readonly unknown[];
}

/**
 * A registry over a memory store that holds the literal.
 *
 * @example
 * await using region = await startTestRegistry({ nodes: [{ name: 'api-1', services: [{ service: 'api', port: 1100 }] }] });
 */
export async function startTestRegistry(options: TestRegistryOptions = {}): Promise<TestRegistry> {
  const clock = options.clock ?? new FakeClock();
  const store = options.store ?? (await MemoryStore.start({ clock, base: 1 }));
  const errors: unknown[] = [];
  const report = (error: unknown): void => void errors.push(error);
  const puts = putsOf(options);
  for (let start = 0; start < puts.length; start += 128)
    await store.commit({ compares: [], writes: puts.slice(start, start + 128) });
  const catalog = new Catalog({ region: options.region ?? TEST_REGION, report });
  const projections = [catalog, ...(options.projections ?? [])];
  const feed = await StoreFeed.start({ store, projections, clock, report });
  const server = options.server === undefined ? {} : { server: options.server };
  const registry = new Registry({ feed, catalog, clock, ...server });
  const close = async (): Promise<void> => {
    await feed[Symbol.asyncDispose]();
    if (options.store === undefined) await store[Symbol.asyncDispose]();
  };
  return { store, clock, feed, catalog, registry, errors, [Symbol.asyncDispose]: close };
}

/** A definition with every default filled in. */
export function definitionOf(literal: DefinitionLiteral): Definition {
  return {
    federation: 'default',
    command: true,
    runList: [],
    environment: {},
    requires: {},
    requiresServices: [],
    provides: {},
    localPort: null,
    protocol: 'http',
    bind: 'any',
    panic: 'empty',
    public: false,
    hosts: [],
    shared: false,
    checks: [],
    meta: {},
    incarnation: null,
    extra: {},
    ...literal,
  };
}

/** A node record with every default filled in; its address is 127.0.0.1 unless told. */
export function nodeRecordOf(literal: Partial<NodeRecord> & Pick<NodeRecord, 'name'>): NodeRecord {
  return {
    id: `00000000-0000-4000-8000-${Buffer.from(literal.name).toString('hex').slice(0, 12).padStart(12, '0')}`,
    address: '127.0.0.1',
    taggedAddresses: {},
    meta: {},
    datacenter: TEST_REGION,
    federation: 'default',
    runs: [],
    balancer: null,
    consumers: [],
    external: false,
    ...literal,
  };
}

/** An instance record with every default filled in; its id is the service's name unless told. */
export function instanceRecordOf(literal: Partial<InstanceRecord> & Pick<InstanceRecord, 'service'>): InstanceRecord {
  return {
    id: literal.service,
    tags: [],
    address: '',
    port: 0,
    meta: {},
    weights: { passing: 1, warning: 1 },
    enableTagOverride: false,
    taggedAddresses: {},
    ...literal,
  };
}

/** A check record with every default filled in; passing unless told. */
export function checkRecordOf(literal: Partial<CheckRecord> & Pick<CheckRecord, 'id'>): CheckRecord {
  return {
    name: literal.id,
    serviceId: '',
    status: 'passing',
    output: '',
    notes: '',
    type: 'ttl',
    interval: '',
    timeout: '',
    definition: {},
    since: '2026-01-01T00:00:00.000Z',
    ...literal,
  };
}

function putsOf(literal: RegionLiteral): Put[] {
  const puts = new Map<string, Put>();
  const put = (key: string, record: unknown): void =>
    void puts.set(key, { type: 'put', key, value: JSON.stringify(record) });
  for (const node of literal.nodes ?? []) putNode(put, typeof node === 'string' ? { name: node } : node);
  for (const one of literal.definitions ?? []) {
    const definition = definitionOf(one);
    put(definitionKey(definition.federation, definition.id), definition);
  }
  for (const { name, value, federation = 'default', region = ANY_REGION } of datastoresOf(literal))
    put(datastoreKey(federation, region, name), { name, value });
  return [...puts.values()];
}

type PutRecord = (key: string, record: unknown) => void;

function putNode(put: PutRecord, literal: NodeLiteral): void {
  const { alive = 'up', services = [], checks = {}, maintenance = false, ...record } = literal;
  const { name } = literal;
  put(nodeKey(name), nodeRecordOf(record));
  if (record.external !== true) put(aliveKey(name), { status: alive, since: '2026-01-01T00:00:00.000Z' });
  for (const one of services) putInstance(put, name, typeof one === 'string' ? { service: one } : one);
  for (const [id, status] of Object.entries(checks)) put(checkKey(name, id), checkRecordOf({ id, status }));
  if (maintenance) put(checkKey(name, NODE_MAINTENANCE), checkRecordOf({ id: NODE_MAINTENANCE, status: 'critical' }));
}

function putInstance(put: PutRecord, node: string, literal: InstanceLiteral): void {
  const { status, checks = {}, maintenance = false, ...record } = literal;
  const instance = instanceRecordOf(record);
  const serviceId = instance.id;
  const statuses: Record<string, CheckStatus> = { ...checks };
  if (status !== undefined) statuses[`service:${serviceId}`] = status;
  if (maintenance) statuses[serviceMaintenance(serviceId)] = 'critical';
  put(instanceKey(node, serviceId), instance);
  for (const [id, one] of Object.entries(statuses))
    put(checkKey(node, id), checkRecordOf({ id, serviceId, status: one }));
}

function datastoresOf({ datastores = [] }: RegionLiteral): readonly DatastoreLiteral[] {
  if (Array.isArray(datastores)) return datastores as readonly DatastoreLiteral[];
  return Object.entries(datastores as Record<string, string>).map(([name, value]) => ({ name, value }));
}
