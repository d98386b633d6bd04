import type { Revision } from '../store/index.ts';
import type { CatalogNode, Check, Instance, Stored } from './catalog-reader.ts';
import type { AliveRecord, InstanceRecord, NodeRecord, OwnerRecord } from './records.ts';
import { SingleCheck } from './single-check.ts';

/** Shared by every instance without checks: a Map of its own costs more than the rest of a small instance. */
export const NO_CHECKS: ReadonlyMap<string, Check> = new Map();

const UNKNOWN_ALIVE: AliveRecord = Object.freeze({ status: 'up', since: '' });

/** An instance as the catalog changes it in place. */
export interface InstanceState extends Instance {
  readonly node: NodeState;
  record: InstanceRecord;
  checks: ReadonlyMap<string, Check>;
  isHeldOut: boolean;
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
  /** Shown here in its place until the store takes writes again. */
  heldAlive: AliveRecord | undefined;
  /** Epoch of the agent that speaks for the node, and the revision of that entry; in no index. */
  owner: (OwnerRecord & { readonly modRevision: Revision }) | undefined;
  #checks: ReadonlyMap<string, Check> = NO_CHECKS;
  #orphans: ReadonlyMap<string, Check> = NO_CHECKS;
  #instances = new Map<string, InstanceState>();
  /** Check id → the service it belongs to; '' for the node itself. */
  readonly #homes = new Map<string, string>();
  #isSorted = true;
  #greatestId = '';

  constructor(name: string) {
    this.name = name;
  }

  /** In order of id: brought into order only when somebody looks. */
  get instances(): ReadonlyMap<string, InstanceState> {
    if (!this.#isSorted) {
      this.#instances = inOrder(this.#instances);
      this.#isSorted = true;
    }
    return this.#instances;
  }

  /** In no order. */
  unordered(): Iterable<InstanceState> {
    return this.#instances.values();
  }

  get checks(): ReadonlyMap<string, Check> {
    return this.#checks;
  }

  get orphans(): ReadonlyMap<string, Check> {
    return this.#orphans;
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
    return this.heldAlive ?? this.storedAlive?.record ?? UNKNOWN_ALIVE;
  }

  get createRevision(): Revision {
    return this.stored?.createRevision ?? 0;
  }

  get modRevision(): Revision {
    return this.stored?.modRevision ?? 0;
  }

  get isEmpty(): boolean {
    const holds = this.stored ?? this.storedAlive ?? this.owner;
    return holds === undefined && this.#instances.size + this.#homes.size === 0;
  }

  instance(id: string): InstanceState | undefined {
    return this.#instances.get(id);
  }

  instanceIds(): Iterable<string> {
    return this.#instances.keys();
  }

  /** A check of the node, of one of its services, or of a service that is not there. */
  check(id: string): Check | undefined {
    const home = this.#homes.get(id);
    if (home === undefined) return undefined;
    if (home === '') return this.#checks.get(id);
    return this.#instances.get(home)?.checks.get(id) ?? this.#orphans.get(id);
  }

  checkIds(): Iterable<string> {
    return this.#homes.keys();
  }

  /** Adds an instance, with the checks that waited for it. */
  addInstance(instance: InstanceState): void {
    const { id } = instance.record;
    this.#instances.set(id, instance);
    if (id < this.#greatestId) this.#isSorted = false;
    else this.#greatestId = id;
    for (const check of this.#orphans.values()) {
      if (check.record.serviceId !== id) continue;
      this.#orphans = withoutCheck(this.#orphans, check.record.id);
      instance.checks = withCheck(instance.checks, check);
    }
  }

  /** Its checks stay until they are removed themselves. */
  removeInstance(instance: InstanceState): void {
    this.#instances.delete(instance.record.id);
    for (const check of instance.checks.values()) this.#orphans = withCheck(this.#orphans, check);
    instance.checks = NO_CHECKS;
  }

  /** Puts a check where it belongs; it must not be anywhere else. */
  putCheck(check: Check): void {
    const { id, serviceId } = check.record;
    this.#homes.set(id, serviceId);
    const instance = this.#instances.get(serviceId);
    if (serviceId === '') this.#checks = withCheck(this.#checks, check);
    else if (instance === undefined) this.#orphans = withCheck(this.#orphans, check);
    else instance.checks = withCheck(instance.checks, check);
  }

  removeCheck({ record: { id, serviceId } }: Check): void {
    this.#homes.delete(id);
    const instance = this.#instances.get(serviceId);
    if (serviceId === '') this.#checks = withoutCheck(this.#checks, id);
    else if (instance === undefined) this.#orphans = withoutCheck(this.#orphans, id);
    else instance.checks = withoutCheck(instance.checks, id);
  }
}

/** The checks with one set, in order of id; changed in place where there are several. */
function withCheck(checks: ReadonlyMap<string, Check>, check: Check): ReadonlyMap<string, Check> {
  const { id } = check.record;
  if (checks.size === 0 || (checks.size === 1 && checks.has(id))) return new SingleCheck(check);
  const own = checks instanceof Map ? checks : new Map(checks);
  const isLast = [...own.keys()].every((key) => key <= id);
  own.set(id, check);
  return isLast ? own : inOrder(own);
}

/** The checks without one; the shared empty map when nothing is left. */
function withoutCheck(checks: ReadonlyMap<string, Check>, id: string): ReadonlyMap<string, Check> {
  if (!checks.has(id)) return checks;
  if (checks.size === 1) return NO_CHECKS;
  (checks as Map<string, Check>).delete(id);
  const [last] = checks.values();
  return checks.size === 1 && last !== undefined ? new SingleCheck(last) : checks;
}

function inOrder<V>(map: ReadonlyMap<string, V>): Map<string, V> {
  return new Map([...map].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
