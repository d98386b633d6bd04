import { isDeepStrictEqual } from 'node:util';
import type { AppliedChange, CatalogNode, CatalogReader, Choices, NodeRecord, NodeView } from '../registry/index.ts';
import { computeView, ResolveScope, viewDependencies } from '../registry/index.ts';
import { interestedKinds } from './interested-kinds.ts';
import type { NodeConsumerKind } from './interested-kinds.ts';
import { NodeIndex } from './node-index.ts';

/** What one revision means for the nodes: whose inputs it changed, and which views are other ones now. */
export interface Effect {
  readonly interested: readonly NodeConsumer[];
  /**
   * Not interested by the view that is known here, but the node may have taken another instance's value (semantics 2.4): only
   * the server that it is linked to can tell. It follows from the catalog alone, so it is the same on every server.
   */
  readonly unsure: readonly NodeConsumer[];
  readonly views: readonly NodeView[];
}

interface NodeConsumer {
  readonly node: string;
  readonly kind: NodeConsumerKind;
}

interface Known {
  readonly view: NodeView;
  readonly kinds: readonly NodeConsumerKind[];
  /** What was known before something was held, and not stored: what is stored next is compared with it. */
  readonly stored?: Known;
  /** Services of which one instance gives the node a value. */
  readonly direct: ReadonlySet<string>;
}

/** Whose inputs depend on which instance was chosen. */
const CHOOSING: readonly NodeConsumerKind[] = ['environment', 'listener'];

/**
 * Keeps the view of every node that has consumers or has greeted and, for each revision, computes again only those of nodes that may be
 * concerned. Everything happens in the event-loop turn of the change, while the catalog stands at its revision.
 */
export class Interest {
  readonly #catalog: CatalogReader;
  readonly #index = new NodeIndex();
  readonly #known = new Map<string, Known>();
  /** Choices of nodes that greeted before they were registered. */
  readonly #offered = new Map<string, Choices>();

  /** Computes the view of every node that has consumers. */
  constructor(catalog: CatalogReader) {
    this.#catalog = catalog;
    const scope = new ResolveScope(catalog);
    for (const node of catalog.nodes()) this.#refresh(node.record.name, scope);
  }

  /** The node's view as of the last change that may have concerned it; undefined for one that has none. */
  view(node: string): NodeView | undefined {
    return this.#known.get(node)?.view;
  }

  /** To be called once for each change, in order. */
  apply(change: AppliedChange): Effect {
    const scope = new ResolveScope(this.#catalog);
    const interested: NodeConsumer[] = [];
    const unsure: NodeConsumer[] = [];
    const views: NodeView[] = [];
    for (const node of this.#candidates(change)) {
      const shown = this.#known.get(node);
      const before = shown?.stored ?? shown;
      const after = this.#refresh(node, scope);
      if (after === undefined) continue;
      if (change.held === true && before !== undefined) this.#known.set(node, { ...after, stored: before });
      const kinds = newlyInterested(before, after);
      interested.push(...kinds.map((kind) => ({ node, kind })));
      unsure.push(...unsureKinds(change, before, after, kinds).map((kind) => ({ node, kind })));
      if (kinds.length > 0 || !sameContent(shown?.view, after.view)) views.push(after.view);
    }
    return { interested, unsure, views };
  }

  /** Computes a node's view again as of now; undefined for one that has none. */
  renew(node: string): NodeView | undefined {
    return this.#refresh(node, new ResolveScope(this.#catalog))?.view;
  }

  /** Resolves again with the direct choices that the node itself remembers (semantics 2.4); undefined if not registered. */
  adopt(node: string, choices: Choices): NodeView | undefined {
    this.#offered.set(node, choices);
    return this.#refresh(node, new ResolveScope(this.#catalog))?.view;
  }

  /** What a node remembers that was never registered is of no use without its link. */
  withdraw(node: string): void {
    this.#offered.delete(node);
  }

  #refresh(name: string, scope: ResolveScope): Known | undefined {
    const node = this.#catalog.node(name);
    if (node === undefined || node.record.external) return this.#forget(name);
    const before = this.#known.get(name)?.view;
    const offered = this.#offered.get(name);
    if (node.record.consumers.length === 0 && before === undefined && offered === undefined) return undefined;
    this.#offered.delete(name);
    const previous = { choices: offered ?? before?.choices ?? {}, balancer: before?.balancer ?? null };
    const view = computeView(this.#catalog, name, previous, scope);
    return view === null ? this.#forget(name) : this.#remember(node, view, scope);
  }

  #candidates(change: AppliedChange): ReadonlySet<string> {
    const found = new Set<string>();
    for (const name of this.#index.candidates(change, this.#catalog)) {
      const record = this.#catalog.node(name)?.record;
      if (record === undefined || record.consumers.length > 0 || this.#isForAll(change, record)) found.add(name);
    }
    for (const key of change.definitions) for (const name of this.#runners(key)) found.add(name);
    return found;
  }

  /** Instances of which no definition spoke were not looked at, so the index does not know of them. */
  #runners(key: string): readonly string[] {
    const slash = key.indexOf('/');
    return this.#catalog.runners(key.slice(0, slash), key.slice(slash + 1));
  }

  /** A node without consumers has its view for the sake of its checks: instances that no definition speaks of leave it. */
  #isForAll({ definitions, datastores, nodes, services }: AppliedChange, { name, federation }: NodeRecord): boolean {
    if (definitions.size > 0 || datastores.size > 0 || nodes.has(name)) return true;
    return services.values().some((id) => this.#catalog.definition(federation, id) !== undefined);
  }

  #remember(node: CatalogNode, view: NodeView, scope: ResolveScope): Known {
    const dependencies = viewDependencies(scope, node);
    const known = { view, kinds: node.record.consumers, direct: dependencies.direct };
    this.#known.set(view.node, known);
    this.#index.set(view.node, dependencies);
    return known;
  }

  #forget(name: string): undefined {
    this.#known.delete(name);
    this.#index.set(name, null);
  }
}

/** A consumer that the node did not have before starts from nothing. */
function newlyInterested(before: Known | undefined, after: Known): readonly NodeConsumerKind[] {
  return after.kinds.filter((kind) => {
    const previous = before?.kinds.includes(kind) === true ? before.view : null;
    return interestedKinds(previous, after.view, [kind]).length > 0;
  });
}

/** Of the kinds that are not interested those for which another choice could have made a difference. */
function unsureKinds(
  change: AppliedChange,
  before: Known | undefined,
  after: Known,
  interested: readonly NodeConsumerKind[],
): readonly NodeConsumerKind[] {
  const mayDiffer = [before, after].some((one) => one !== undefined && touchesChoice(change, one));
  return mayDiffer ? CHOOSING.filter((kind) => after.kinds.includes(kind) && !interested.includes(kind)) : [];
}

function touchesChoice({ services, definitions, datastores, nodes }: AppliedChange, { direct, view }: Known): boolean {
  if (direct.size === 0) return false;
  if (definitions.size > 0 || datastores.size > 0 || nodes.has(view.node)) return true;
  return services.values().some((service) => direct.has(service));
}

function sameContent(before: NodeView | undefined, after: NodeView): boolean {
  return before !== undefined && isDeepStrictEqual({ ...before, revision: 0 }, { ...after, revision: 0 });
}
