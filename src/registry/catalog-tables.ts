import type { Revision } from '../store/index.ts';
import { NodeState } from './catalog-state.ts';
import { Declarations } from './declarations.ts';
import { ServiceIndex } from './service-index.ts';
import { TopicIndex } from './topic-index.ts';

/** Everything a catalog holds. */
export class CatalogTables {
  readonly nodes = new Map<string, NodeState>();
  readonly services = new ServiceIndex();
  readonly declarations = new Declarations();
  readonly topics = new TopicIndex();
  /** Federation → revision of its `names/` guard. */
  readonly names = new Map<string, Revision>();

  #seen: readonly NodeState[] | undefined;
  /** `<federation>\0<definition>` → nodes whose agent was told to run it. */
  readonly #assigned = new Map<string, Set<NodeState>>();

  /** Registered nodes in order of name; the list is replaced when they change. */
  seenNodes(): readonly NodeState[] {
    this.#seen ??= Object.freeze(
      [...this.nodes.values()].filter((node) => node.isRegistered).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    );
    return this.#seen;
  }

  /** Nodes told to run a definition, in no order. */
  assigned(federation: string, id: string): Iterable<NodeState> {
    return this.#assigned.get(`${federation}\0${id}`) ?? [];
  }

  /** Replaces a node's record, or takes it away. */
  setRecord(node: NodeState, stored: NodeState['stored']): void {
    if ((node.stored === undefined) !== (stored === undefined)) this.#seen = undefined;
    for (const key of assignments(node)) {
      const nodes = this.#assigned.get(key);
      nodes?.delete(node);
      if (nodes?.size === 0) this.#assigned.delete(key);
    }
    node.stored = stored;
    for (const key of assignments(node)) {
      const nodes = this.#assigned.get(key) ?? new Set();
      this.#assigned.set(key, nodes.add(node));
    }
  }

  /** The state of a node name; a shell when nothing is known of it yet. */
  node(name: string): NodeState {
    const found = this.nodes.get(name) ?? new NodeState(name);
    this.nodes.set(name, found);
    return found;
  }

  /** Forgets a node of which nothing is left. */
  dropIfEmpty(node: NodeState): void {
    if (node.isEmpty) this.nodes.delete(node.name);
  }

  clear(): void {
    this.#seen = undefined;
    this.#assigned.clear();
    for (const table of [this.nodes, this.services, this.declarations, this.topics, this.names]) table.clear();
  }
}

function assignments(node: NodeState): readonly string[] {
  const { record } = node.stored ?? {};
  return record === undefined ? [] : record.runs.map((id) => `${record.federation}\0${id}`);
}
