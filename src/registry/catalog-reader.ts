import type { Definition } from '../definition/index.ts';
import type { Revision } from '../store/index.ts';
import type { AliveRecord, CheckRecord, DatastoreRecord, Health, InstanceRecord, NodeRecord } from './records.ts';

/** A node as it stands in the catalog. `instances` and `checks` are kept in order of id. */
export interface CatalogNode {
  readonly record: NodeRecord;
  readonly alive: AliveRecord;
  readonly instances: ReadonlyMap<string, Instance>;
  /** Checks of the node itself (not of its services), without serfHealth, which is `alive`. */
  readonly checks: ReadonlyMap<string, Check>;
  readonly createRevision: Revision;
  readonly modRevision: Revision;
}

/** One running copy of a service. */
export interface Instance {
  readonly node: CatalogNode;
  readonly record: InstanceRecord;
  readonly checks: ReadonlyMap<string, Check>;
  /** Its agent has taken it back, and the store cannot be told now: it gets no traffic here. */
  readonly isHeldOut: boolean;
  readonly createRevision: Revision;
  readonly modRevision: Revision;
}

export interface Check {
  readonly record: CheckRecord;
  /** What the store has, where `record` is only held here until the store takes writes again. */
  readonly stored?: CheckRecord;
  readonly createRevision: Revision;
  readonly modRevision: Revision;
}

export interface Stored<T> {
  readonly record: T;
  readonly createRevision: Revision;
  readonly modRevision: Revision;
}

/** The region's state at one revision, in memory. Readers never wait; nothing here changes within one event-loop turn of a reader. */
export interface CatalogReader {
  /** The revision of the last batch applied. */
  readonly revision: Revision;
  /** The region's name, which is Consul's datacenter. */
  readonly region: string;
  node(name: string): CatalogNode | undefined;
  /** In order of name. */
  nodes(): readonly CatalogNode[];
  /** In order of name. */
  serviceNames(): readonly string[];
  /** Instances of a service in order of node name, then id; empty for an unknown service. */
  instances(service: string): readonly Instance[];
  definition(federation: string, id: string): Stored<Definition> | undefined;
  /** In order of federation, then id. */
  definitions(): readonly Stored<Definition>[];
  /** The definitions of the federation that provide the name, in order of id. */
  providers(federation: string, name: string): readonly Stored<Definition>[];
  /** The region's own value, else the one for every region. */
  datastore(federation: string, region: string, name: string): Stored<DatastoreRecord> | undefined;
  /** In key order, with where they belong. */
  datastores(): readonly (Stored<DatastoreRecord> & { readonly federation: string; readonly region: string })[];
  /** The index of a topic (`keys.ts`): the highest revision of what it holds and of its tombstone; 1 for what never was. */
  index(topic: string): Revision;
  /** Node names that run a definition, by assignment or by a registered instance (P19), in order of name. */
  runners(federation: string, id: string): readonly string[];
}

/** Health of an instance: the worst of its own and its node's checks (semantics 1). */
export type HealthOf = (instance: Instance) => Health;
