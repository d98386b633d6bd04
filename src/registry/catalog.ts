import type { Definition } from '../definition/index.ts';
import type { Batch, Entry, Revision } from '../store/index.ts';
import { CatalogEdit } from './catalog-edit.ts';
import type { CatalogNode, CatalogReader, Instance, Stored } from './catalog-reader.ts';
import type { NodeState } from './catalog-state.ts';
import { CatalogTables } from './catalog-tables.ts';
import type { ChangeBuilder, Held, Projection } from './feed.ts';
import {
  aliveKey,
  checkKey,
  datastoreKey,
  definitionKey,
  familyOf,
  FAMILIES,
  instanceKey,
  namesKey,
  nodeKey,
  ownKey,
} from './keys.ts';
import type { AliveRecord, CheckRecord, DatastoreRecord } from './records.ts';

/** Each check finds its instance, and each node is folded into the indexes once, with everything on it. */
const LOADED_FIRST = ['inst/', 'chk/', 'alive/'] as const;

export interface CatalogOptions {
  /** The region's name, which is Consul's datacenter. */
  readonly region: string;
  /** Told of entries that drover did not write and cannot read; they are left out. */
  readonly report?: (error: unknown) => void;
}

/**
 * The region's state in memory. Nodes, instances and their maps are live: they change in place with the next revision, so
 * hold them for one event-loop turn only. Records and lists are never changed but replaced: comparing one with `===`
 * tells whether it changed.
 */
export class Catalog implements CatalogReader, Projection {
  readonly families = FAMILIES;
  readonly region: string;
  readonly #report: (error: unknown) => void;
  readonly #tables = new CatalogTables();
  #revision: Revision = 0;

  constructor(options: CatalogOptions) {
    this.region = options.region;
    this.#report = options.report ?? (() => {});
  }

  get revision(): Revision {
    return this.#revision;
  }

  load(entries: Iterable<Entry>, revision: Revision): void {
    this.#tables.clear();
    const edit = new CatalogEdit(this.#tables);
    const byFamily = Map.groupBy(entries, (entry) => familyOf(entry.key));
    for (const family of new Set([...LOADED_FIRST, ...this.families]))
      for (const entry of byFamily.get(family) ?? []) this.#apply(edit, { type: 'put', entry });
    this.#finish(edit, revision);
  }

  apply(batch: Batch, change: ChangeBuilder): void {
    const edit = new CatalogEdit(this.#tables, change);
    for (const event of batch.events) this.#apply(edit, event);
    this.#finish(edit, batch.revision);
  }

  /** Shows checks of a node as it says that they are, until the store has them; see `CatalogEdit.hold`. Whether one differs now. */
  hold(node: string, records: readonly CheckRecord[], change: ChangeBuilder): boolean {
    return this.#hold(change, (edit) => records.filter((record) => edit.hold(node, record)).length > 0);
  }

  /** Shows a node's liveness until the store has it; see `CatalogEdit.holdAlive`. Whether it differs now. */
  holdAlive(node: string, alive: AliveRecord, change: ChangeBuilder): boolean {
    return this.#hold(change, (edit) => edit.holdAlive(node, alive));
  }

  /** Keeps these instances of a node out of traffic, and no others, until the store is told; see `CatalogEdit.holdOut`. */
  holdOut(node: string, out: ReadonlySet<string>, change: ChangeBuilder): boolean {
    return this.#hold(change, (edit) => edit.holdOut(node, out));
  }

  node(name: string): CatalogNode | undefined {
    const node = this.#tables.nodes.get(name);
    return node?.isRegistered === true ? node : undefined;
  }

  nodes(): readonly CatalogNode[] {
    return this.#tables.seenNodes();
  }

  serviceNames(): readonly string[] {
    return this.#tables.services.names();
  }

  instances(service: string): readonly Instance[] {
    return this.#tables.services.instances(service);
  }

  definition(federation: string, id: string): Stored<Definition> | undefined {
    return this.#tables.declarations.definition(federation, id);
  }

  definitions(): readonly Stored<Definition>[] {
    return this.#tables.declarations.definitions();
  }

  providers(federation: string, name: string): readonly Stored<Definition>[] {
    return this.#tables.declarations.providers(federation, name);
  }

  datastore(federation: string, region: string, name: string): Stored<DatastoreRecord> | undefined {
    return this.#tables.declarations.datastore(federation, region, name);
  }

  datastores(): ReturnType<CatalogReader['datastores']> {
    return this.#tables.declarations.datastores();
  }

  index(topic: string): Revision {
    return this.#tables.topics.index(topic);
  }

  runners(federation: string, id: string): readonly string[] {
    const names = new Set<string>();
    for (const { node } of this.#tables.services.instances(id))
      if (node.record.federation === federation) names.add(node.record.name);
    for (const node of this.#tables.assigned(federation, id)) names.add(node.name);
    return [...names].toSorted();
  }

  /** All that is known of a node name, also before its record came: for those who write. */
  nodeState(name: string): NodeState | undefined {
    return this.#tables.nodes.get(name);
  }

  /** The revision of a federation's `names/` guard; 0 when there is none. */
  namesRevision(federation: string): Revision {
    return this.#tables.names.get(federation) ?? 0;
  }

  *held(): Iterable<Held> {
    for (const node of this.#tables.nodes.values()) yield* heldOfNode(node);
    for (const { record, modRevision } of this.definitions())
      yield { key: definitionKey(record.federation, record.id), modRevision };
    for (const { federation, region, record, modRevision } of this.datastores())
      yield { key: datastoreKey(federation, region, record.name), modRevision };
    for (const [federation, modRevision] of this.#tables.names) yield { key: namesKey(federation), modRevision };
  }

  #hold(change: ChangeBuilder, show: (edit: CatalogEdit) => boolean): boolean {
    const edit = new CatalogEdit(this.#tables, change);
    const differs = show(edit);
    edit.finish();
    return differs;
  }

  #apply(edit: CatalogEdit, event: Batch['events'][number]): void {
    try {
      edit.apply(event);
    } catch (error) {
      this.#report(error);
    }
  }

  #finish(edit: CatalogEdit, revision: Revision): void {
    edit.finish();
    this.#revision = revision;
  }
}

function* heldOfNode(node: NodeState): Iterable<Held> {
  const { name, stored, storedAlive, owner } = node;
  if (stored !== undefined) yield { key: nodeKey(name), modRevision: stored.modRevision };
  if (storedAlive !== undefined) yield { key: aliveKey(name), modRevision: storedAlive.modRevision };
  if (owner !== undefined) yield { key: ownKey(name), modRevision: owner.modRevision };
  for (const instance of node.unordered())
    yield { key: instanceKey(name, instance.record.id), modRevision: instance.modRevision };
  for (const id of node.checkIds()) {
    const check = node.check(id);
    if (check !== undefined) yield { key: checkKey(name, id), modRevision: check.modRevision };
  }
}
