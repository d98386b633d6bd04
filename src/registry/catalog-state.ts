import type { Revision } from '../store/index.ts';
import type { CatalogNode, Check, Instance, Stored } from './catalog-reader.ts';
import type { AliveRecord, InstanceRecord, NodeRecord } from './records.ts';

/** Shared by every instance without checks: a Map of its own costs more than the rest of a small instance. */
export const NO_CHECKS: ReadonlyMap<string, Check> = new Map();

const UNKNOWN_ALIVE: AliveRecord = Object.freeze({ status: 'up', since: '' });

/** An instance as the catalog changes it in place. */
export interface InstanceState extends Instance {
  readonly node: NodeState;
  record: InstanceRecord;
  checks: ReadonlyMap<string, Check>;
  createRevision: Revision;
  modRevision: Revision;
}

/**
 * All that the store says of one node name, in whatever order it arrived. Until `node/<name>` is there it is a shell that
 * no reader sees; checks of services without an instance wait in `orphans`.
 */
export class NodeState implements CatalogNode {
  readonly name: string;
  stored: Stored<NodeRecord> | undefined;
  storedAlive: Stored<AliveRecord> | undefined;
  /** Epoch of the agent that speaks for the node, and the revision of that entry; in no index. */
  owner: { readonly epoch: number; readonly modRevision: Revision } | undefined;
  /** In order of id. */
  instances = new Map<string, InstanceState>();
  #greatestId = '';
  checks: ReadonlyMap<string, Check> = NO_CHECKS;
  orphans: ReadonlyMap<string, Check> = NO_CHECKS;

  constructor(name: string) {
    this.name = name;
  }

  addInstance(instance: InstanceState): void {
    const { id } = instance.record;
    this.instances.set(id, instance);
    if (id < this.#greatestId) this.instances = inOrder(this.instances);
    else this.#greatestId = id;
  }

  get isRegistered(): boolean {
    return this.stored !== undefined;
  }

  get record(): NodeRecord {
    if (this.stored === undefined) throw new TypeError(`node ${this.name} has no record`);
    return this.stored.record;
  }

  /** Nodes registered through the catalog API have no liveness of their own and count as up. */
  get alive(): AliveRecord {
    return this.storedAlive?.record ?? UNKNOWN_ALIVE;
  }

  get createRevision(): Revision {
    return this.stored?.createRevision ?? 0;
  }

  get modRevision(): Revision {
    return this.stored?.modRevision ?? 0;
  }

  get isEmpty(): boolean {
    const holds = this.stored ?? this.storedAlive ?? this.owner;
    return holds === undefined && this.instances.size + this.checks.size + this.orphans.size === 0;
  }
}

/** The checks with one set, in order of id; changed in place unless it is the shared empty map. */
export function withCheck(checks: ReadonlyMap<string, Check>, check: Check): ReadonlyMap<string, Check> {
  const { id } = check.record;
  if (checks === NO_CHECKS) return new Map([[id, check]]);
  const own = checks as Map<string, Check>;
  const isLast = [...own.keys()].every((key) => key <= id);
  own.set(id, check);
  return isLast ? own : inOrder(own);
}

/** The checks without one; the shared empty map when nothing is left. */
export function withoutCheck(checks: ReadonlyMap<string, Check>, id: string): ReadonlyMap<string, Check> {
  if (checks !== NO_CHECKS) (checks as Map<string, Check>).delete(id);
  return checks.size === 0 ? NO_CHECKS : checks;
}

function inOrder<V>(map: ReadonlyMap<string, V>): Map<string, V> {
  return new Map([...map].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
