import type { Definition } from '../definition/index.ts';
import { canonicalJson } from '../lib/index.ts';
import type { Entry, Revision, StoreEvent } from '../store/index.ts';
import type { Check } from './catalog-reader.ts';
import type { InstanceState, NodeState } from './catalog-state.ts';
import { NO_CHECKS } from './catalog-state.ts';
import type { CatalogTables } from './catalog-tables.ts';
import { decodeCheck, decodeInstance, decodeRecord } from './decode-record.ts';
import type { ChangeBuilder } from './feed.ts';
import { familyOf, floorKey, keyParts, topic } from './keys.ts';
import type { AliveRecord, CheckRecord, DatastoreRecord, NodeRecord, OwnerRecord } from './records.ts';
import { ChangeSummary } from './change-summary.ts';
import { foldInstance, foldNode, foldNodeServices } from './fold-topics.ts';
import type { Touch } from './fold-topics.ts';

/** A deletion raises no index by itself: its tombstone does, in the same revision. */
const BY_TOMBSTONE: Revision = 0;
const NOBODY: ReadonlySet<string> = new Set();

/**
 * Applies store events to a catalog's tables: of one revision, or of everything at once. Events may come in any order;
 * what cannot be shown yet (an instance without its node) waits unseen. Call `finish` at the end.
 */
export class CatalogEdit {
  readonly #tables: CatalogTables;
  readonly #change: ChangeBuilder | undefined;
  readonly #summary: ChangeSummary;
  readonly #reaped: string[] = [];

  /** Without `change` nothing is collected: for loading. */
  constructor(tables: CatalogTables, change?: ChangeBuilder) {
    this.#tables = tables;
    this.#change = change;
    this.#summary = new ChangeSummary(change);
  }

  /** @throws SyntaxError or URIError for an entry that is not of drover's making; the entry is then as if deleted. */
  apply(event: StoreEvent): void {
    if (event.type === 'delete') return this.#remove(event.key);
    try {
      this.#put(event.entry);
    } catch (error) {
      this.#remove(event.entry.key);
      throw error;
    }
  }

  /**
   * Shows a check as its node says that it is, though the store cannot be told now; what the store has is remembered, and its next word
   * counts. Indexes stay: they follow from what is stored. False when there is no such check, or when it is shown so already.
   */
  hold(nodeName: string, record: CheckRecord): boolean {
    const node = this.#tables.nodes.get(nodeName);
    const check = node?.check(record.id);
    if (node === undefined || check === undefined || check.record.serviceId !== record.serviceId) return false;
    const { createRevision, modRevision, stored = check.record } = check;
    if (canonicalJson(check.record) === canonicalJson(record)) return false;
    const isStored = canonicalJson(stored) === canonicalJson(record);
    const changed = this.#beforeCheck(node, check);
    node.putCheck(
      isStored ? { record: stored, createRevision, modRevision } : { record, stored, createRevision, modRevision },
    );
    this.#afterCheck(node, changed, BY_TOMBSTONE);
    return true;
  }

  /** Shows a node's liveness though the store cannot be told now. False when there is no such node, or when it is shown so already. */
  holdAlive(nodeName: string, record: AliveRecord): boolean {
    const node = this.#tables.nodes.get(nodeName);
    if (node?.isRegistered !== true || canonicalJson(node.alive) === canonicalJson(record)) return false;
    const isStored = canonicalJson(node.storedAlive?.record) === canonicalJson(record);
    this.#showAlive(node, isStored ? undefined : record);
    return true;
  }

  /** Takes instances of a node out of traffic, and all others of it back in, though the store cannot be told now. */
  holdOut(nodeName: string, out: ReadonlySet<string>): boolean {
    const node = this.#tables.nodes.get(nodeName);
    const differing = [...(node?.unordered() ?? [])].filter((one) => one.isHeldOut !== out.has(one.record.id));
    for (const instance of differing) {
      this.#summary.instanceChanges(instance);
      instance.isHeldOut = !instance.isHeldOut;
      if (instance.node.isRegistered) this.#touchServiceCheck(instance, BY_TOMBSTONE);
    }
    return differing.length > 0;
  }

  finish(): void {
    this.#tables.services.settle();
    for (const name of this.#reaped) if (!this.#isHeld(name)) this.#tables.topics.forget(name);
    this.#summary.finish();
  }

  readonly #touch: Touch = (name, revision) => {
    this.#tables.topics.touch(name, revision);
    this.#change?.topics.add(name);
  };

  #put(entry: Entry): void {
    const { key, modRevision } = entry;
    const [first = '', second = '', third = ''] = keyParts(key);
    switch (familyOf(key)) {
      case 'node/':
        return this.#setNode(this.#tables.node(first), { ...stamps(entry), record: decodeRecord<NodeRecord>(entry) });
      case 'own/':
        return this.#setOwner(this.#tables.node(first), { ...decodeRecord<OwnerRecord>(entry), modRevision });
      case 'alive/':
        return this.#setAlive(this.#tables.node(first), { ...stamps(entry), record: decodeRecord<AliveRecord>(entry) });
      case 'inst/':
        return this.#putInstance(this.#tables.node(first), entry);
      case 'chk/':
        return this.#putCheck(this.#tables.node(first), { record: decodeCheck(entry), ...stamps(entry) });
      case 'tomb/':
        return this.#putTombstone(key.slice('tomb/'.length), modRevision);
      case 'floor/':
        if (key === floorKey('registry'))
          this.#tables.topics.raiseFloor(decodeRecord<{ revision: Revision }>(entry).revision);
        return;
      case 'def/':
        return this.#setDefinition(first, second, { ...stamps(entry), record: decodeRecord<Definition>(entry) });
      case 'ds/':
        return this.#setDatastore(first, second, third, {
          ...stamps(entry),
          record: decodeRecord<DatastoreRecord>(entry),
        });
      case 'names/':
        this.#tables.names.set(first, modRevision);
    }
  }

  #remove(key: string): void {
    const [first = '', second = '', third = ''] = keyParts(key);
    const node = this.#tables.nodes.get(first);
    switch (familyOf(key)) {
      case 'node/':
        if (node?.isRegistered === true) this.#setNode(node, undefined);
        break;
      case 'own/':
        if (node !== undefined) this.#setOwner(node, undefined);
        break;
      case 'alive/':
        if (node?.storedAlive !== undefined) this.#setAlive(node, undefined);
        break;
      case 'inst/':
        if (node !== undefined) this.#removeInstance(node, second);
        break;
      case 'chk/':
        if (node !== undefined) this.#removeCheck(node, second);
        break;
      case 'tomb/':
        this.#reaped.push(key.slice('tomb/'.length));
        break;
      case 'def/':
        this.#setDefinition(first, second, undefined);
        break;
      case 'ds/':
        this.#setDatastore(first, second, third, undefined);
        break;
      case 'names/':
        this.#tables.names.delete(first);
    }
    if (node !== undefined) this.#tables.dropIfEmpty(node);
  }

  #setNode(node: NodeState, stored: NodeState['stored']): void {
    const before = node.stored;
    this.#summary.nodeChanges(node, stored === undefined ? 'gone' : '');
    if (stored === undefined) node.heldAlive = undefined;
    this.#tables.setRecord(node, stored);
    for (const instance of node.unordered()) {
      if (before === undefined) this.#tables.services.add(instance.record.service, instance);
      if (stored === undefined) this.#tables.services.remove(instance.record.service, instance);
    }
    if (before === undefined) return foldNode(this.#tables, node, this.#touch);
    const revision = stored?.modRevision ?? BY_TOMBSTONE;
    this.#touch(topic.nodes, revision);
    this.#touch(topic.node(node.name), revision);
    if (stored === undefined) {
      for (const name of [topic.services, topic.checks, topic.nodeChecks(node.name)]) this.#touch(name, BY_TOMBSTONE);
    }
    foldNodeServices(node, revision, this.#touch);
  }

  #setAlive(node: NodeState, stored: NodeState['storedAlive']): void {
    if (node.isRegistered) {
      const status = stored?.record.status;
      this.#summary.nodeChanges(node, status === node.alive.status ? '' : (status ?? ''));
    }
    node.storedAlive = stored;
    node.heldAlive = undefined;
    if (!node.isRegistered) return;
    this.#touch(topic.nodes, stored?.modRevision ?? BY_TOMBSTONE);
    this.#touchNodeChecks(node, stored?.modRevision ?? BY_TOMBSTONE);
  }

  /** Another server speaks for it from now on: what is held here of what it said to this one does not count any more. */
  #setOwner(node: NodeState, owner: NodeState['owner']): void {
    const isSame = owner?.server === node.owner?.server;
    node.owner = owner;
    if (isSame) return;
    this.holdOut(node.name, NOBODY);
    if (node.heldAlive !== undefined) this.#showAlive(node, undefined);
  }

  #showAlive(node: NodeState, held: AliveRecord | undefined): void {
    const before = node.alive.status;
    this.#summary.nodeChanges(node);
    node.heldAlive = held;
    const { status } = node.alive;
    if (!node.isRegistered) return;
    this.#summary.nodeChanges(node, status === before ? '' : status);
    this.#touch(topic.nodes, BY_TOMBSTONE);
    this.#touchNodeChecks(node, BY_TOMBSTONE);
  }

  #putInstance(node: NodeState, entry: Entry): void {
    const record = decodeInstance(entry);
    const existing = node.instance(record.id);
    if (existing !== undefined) return this.#replaceInstance(existing, record, entry);
    const instance: InstanceState = { node, record, checks: NO_CHECKS, isHeldOut: false, ...stamps(entry) };
    this.#summary.instanceChanges(instance, 'absent');
    node.addInstance(instance);
    if (!node.isRegistered) return;
    this.#tables.services.add(record.service, instance);
    foldInstance(this.#tables, instance, this.#touch);
  }

  #replaceInstance(instance: InstanceState, record: InstanceState['record'], entry: Entry): void {
    const { node, record: before } = instance;
    this.#summary.instanceChanges(instance);
    Object.assign(instance, { record, ...stamps(entry) });
    if (!node.isRegistered) return;
    if (before.service !== record.service) {
      this.#tables.services.remove(before.service, instance);
      this.#tables.services.add(record.service, instance);
      this.#touch(topic.service(before.service), BY_TOMBSTONE);
    }
    foldInstance(this.#tables, instance, this.#touch);
  }

  #removeInstance(node: NodeState, id: string): void {
    const instance = node.instance(id);
    if (instance === undefined) return;
    this.#summary.instanceChanges(instance);
    node.removeInstance(instance);
    if (!node.isRegistered) return;
    const { service } = instance.record;
    this.#tables.services.remove(service, instance);
    for (const name of [topic.service(service), topic.node(node.name), topic.services, topic.checks])
      this.#touch(name, BY_TOMBSTONE);
  }

  #putCheck(node: NodeState, check: Check): void {
    const { id, serviceId } = check.record;
    const existing = node.check(id);
    if (existing !== undefined && existing.record.serviceId !== serviceId) this.#removeCheck(node, id);
    const changed = this.#beforeCheck(node, check);
    node.putCheck(check);
    this.#afterCheck(node, changed, check.modRevision);
  }

  #removeCheck(node: NodeState, id: string): void {
    const check = node.check(id);
    if (check === undefined) return;
    const changed = this.#beforeCheck(node, check);
    node.removeCheck(check);
    this.#afterCheck(node, changed, BY_TOMBSTONE);
  }

  /** What a check counts for: the node, one instance, or nothing that is seen. */
  #beforeCheck(node: NodeState, { record: { serviceId } }: Check): NodeState | InstanceState | undefined {
    if (serviceId === '') {
      this.#summary.nodeChanges(node);
      return node;
    }
    const instance = node.instance(serviceId);
    if (instance !== undefined) this.#summary.instanceChanges(instance);
    return instance;
  }

  #afterCheck(node: NodeState, changed: NodeState | InstanceState | undefined, revision: Revision): void {
    if (changed === undefined || !node.isRegistered) return;
    if (changed === node) this.#touchNodeChecks(node, revision);
    else this.#touchServiceCheck(changed as InstanceState, revision);
  }

  #touchServiceCheck(instance: InstanceState, revision: Revision): void {
    for (const name of [topic.service(instance.record.service), topic.node(instance.node.name), topic.checks])
      this.#touch(name, revision);
  }

  #touchNodeChecks(node: NodeState, revision: Revision): void {
    for (const name of [topic.nodeChecks(node.name), topic.node(node.name), topic.checks]) this.#touch(name, revision);
    foldNodeServices(node, revision, this.#touch);
  }

  #putTombstone(name: string, revision: Revision): void {
    this.#touch(name, revision);
    const [family = '', nodeName = ''] = name.split('/');
    const node = family === 'nodechk' ? this.#tables.nodes.get(decodeURIComponent(nodeName)) : undefined;
    if (node?.isRegistered !== true) return;
    this.#touch(topic.node(node.name), revision);
    foldNodeServices(node, revision, this.#touch);
  }

  #setDefinition(
    federation: string,
    id: string,
    stored: Parameters<CatalogTables['declarations']['setDefinition']>[2],
  ): void {
    this.#tables.declarations.setDefinition(federation, id, stored);
    const revision = stored?.modRevision ?? BY_TOMBSTONE;
    for (const name of [topic.definitions, topic.definition(federation, id)]) this.#touch(name, revision);
    this.#change?.definitions.add(`${federation}/${id}`);
    this.#summary.line(`definition ${id}${stored === undefined ? ' gone' : ''}`);
  }

  #setDatastore(
    federation: string,
    region: string,
    name: string,
    stored:
      | { readonly record: DatastoreRecord; readonly createRevision: Revision; readonly modRevision: Revision }
      | undefined,
  ): void {
    const placed = stored === undefined ? undefined : { ...stored, federation, region };
    this.#tables.declarations.setDatastore(federation, region, name, placed);
    const revision = stored?.modRevision ?? BY_TOMBSTONE;
    for (const one of [topic.datastores, topic.datastore(federation, name)]) this.#touch(one, revision);
    this.#change?.datastores.add(`${federation}/${name}`);
    this.#summary.line(`datastore ${name}${stored === undefined ? ' gone' : ''}`);
  }

  /** Whether a topic holds anything now. */
  #isHeld(name: string): boolean {
    const [family = '', ...rest] = name.split('/');
    const [first = '', second = ''] = rest.map(decodeURIComponent);
    if (family === 'svc') return this.#tables.services.instances(first).length > 0;
    if (family === 'node' || family === 'nodechk') return this.#tables.nodes.get(first)?.isRegistered === true;
    if (family === 'def') return this.#tables.declarations.definition(first, second) !== undefined;
    if (family === 'ds') return this.#tables.declarations.hasDatastore(first, second);
    // Lists of the registry always are; topics of other parts are theirs to remember.
    return rest.length === 0;
  }
}

function stamps(entry: Entry): { createRevision: Revision; modRevision: Revision } {
  return { createRevision: entry.createRevision, modRevision: entry.modRevision };
}
