import type { AppliedChange, CatalogReader, ViewDependencies } from '../registry/index.ts';
import { touchedNodes } from './touched-nodes.ts';

/** Something that views depend on, and the nodes whose views do: ten thousand of them share its key. */
interface Dependents {
  readonly key: string;
  readonly nodes: Set<string>;
}

/**
 * Which nodes a change may concern, without looking at the others: an index from services, definitions and required
 * names to the nodes whose views depend on them.
 */
export class NodeIndex {
  readonly #dependents = new Map<string, Dependents>();
  readonly #ofNode = new Map<string, readonly Dependents[]>();

  /** Replaces what a node depends on; null forgets the node. */
  set(node: string, dependencies: ViewDependencies | null): void {
    const keys = dependencies === null ? [] : keysOf(dependencies);
    const before = this.#ofNode.get(node) ?? [];
    if (keys.length === before.length && keys.every((key, index) => key === before[index]?.key)) return;
    for (const one of before) this.#drop(one, node);
    if (keys.length === 0) this.#ofNode.delete(node);
    else
      this.#ofNode.set(
        node,
        keys.map((key) => this.#add(key, node)),
      );
  }

  /** The nodes that a change may concern: those themselves changed, and those that depend on something that did. */
  candidates(change: AppliedChange, catalog: CatalogReader): ReadonlySet<string> {
    const found = new Set(touchedNodes(change));
    for (const key of changedKeys(change, catalog))
      for (const node of this.#dependents.get(key)?.nodes ?? []) found.add(node);
    return found;
  }

  #add(key: string, node: string): Dependents {
    const dependents = this.#dependents.get(key) ?? { key, nodes: new Set() };
    this.#dependents.set(dependents.key, dependents);
    dependents.nodes.add(node);
    return dependents;
  }

  #drop({ key, nodes }: Dependents, node: string): void {
    nodes.delete(node);
    if (nodes.size === 0) this.#dependents.delete(key);
  }
}

function keysOf({ services, definitions, names }: ViewDependencies): readonly string[] {
  return [
    ...[...services].map((one) => `service ${one}`),
    ...[...definitions].map((one) => `definition ${one}`),
    ...[...names].map((one) => `name ${one}`),
  ];
}

function changedKeys(change: AppliedChange, catalog: CatalogReader): readonly string[] {
  return [
    ...[...change.services].map((one) => `service ${one}`),
    ...[...change.definitions].flatMap((one) => [`definition ${one}`, ...providedNames(one, catalog)]),
    ...[...change.datastores].map((one) => `name ${one}`),
  ];
}

/** Names that a definition provides now: nodes that miss one depend on the name, not yet on the definition. */
function providedNames(key: string, catalog: CatalogReader): string[] {
  const slash = key.indexOf('/');
  const federation = key.slice(0, slash);
  const definition = catalog.definition(federation, key.slice(slash + 1));
  return Object.keys(definition?.record.provides ?? {}).map((name) => `name ${federation}/${name}`);
}
