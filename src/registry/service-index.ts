import type { InstanceState } from './catalog-state.ts';

const NONE: readonly InstanceState[] = Object.freeze([]);

/** Instances by service name, in order of node name, then id. Lists are replaced, never changed. */
export class ServiceIndex {
  readonly #lists = new Map<string, readonly InstanceState[]>();
  readonly #added = new Map<string, Set<InstanceState>>();
  readonly #removed = new Map<string, Set<InstanceState>>();
  #names: readonly string[] | undefined;

  /** In order of node name, then id; empty for an unknown service. */
  instances(service: string): readonly InstanceState[] {
    return this.#lists.get(service) ?? NONE;
  }

  /** In order of name. */
  names(): readonly string[] {
    this.#names ??= Object.freeze([...this.#lists.keys()].toSorted());
    return this.#names;
  }

  /** Takes effect at `settle`, so that a revision of many changes rebuilds each list once. */
  add(service: string, instance: InstanceState): void {
    if (this.#removed.get(service)?.delete(instance) === true) return;
    setOf(this.#added, service).add(instance);
  }

  /** Takes effect at `settle`. */
  remove(service: string, instance: InstanceState): void {
    if (this.#added.get(service)?.delete(instance) === true) return;
    setOf(this.#removed, service).add(instance);
  }

  settle(): void {
    for (const service of new Set([...this.#added.keys(), ...this.#removed.keys()])) this.#rebuild(service);
    this.#added.clear();
    this.#removed.clear();
  }

  clear(): void {
    this.#lists.clear();
    this.#added.clear();
    this.#removed.clear();
    this.#names = undefined;
  }

  #rebuild(service: string): void {
    const before = this.instances(service);
    const removed = this.#removed.get(service);
    const kept = removed === undefined || removed.size === 0 ? before : before.filter((one) => !removed.has(one));
    const added = [...(this.#added.get(service) ?? [])].toSorted(byNodeThenId);
    const list = added.length === 0 ? kept : merge(kept, added);
    if (list.length === 0) this.#lists.delete(service);
    else this.#lists.set(service, list);
    if ((before.length === 0) !== (list.length === 0)) this.#names = undefined;
  }
}

function setOf(sets: Map<string, Set<InstanceState>>, service: string): Set<InstanceState> {
  const found = sets.get(service) ?? new Set();
  sets.set(service, found);
  return found;
}

function merge(a: readonly InstanceState[], b: readonly InstanceState[]): readonly InstanceState[] {
  const merged: InstanceState[] = [];
  let next = 0;
  for (const one of a) {
    for (let other = b[next]; other !== undefined && byNodeThenId(other, one) < 0; other = b[++next])
      merged.push(other);
    merged.push(one);
  }
  return merged.concat(b.slice(next));
}

function byNodeThenId(a: InstanceState, b: InstanceState): number {
  return compareText(a.node.name, b.node.name) || compareText(a.record.id, b.record.id);
}

function compareText(a: string, b: string): number {
  if (a < b) return -1;
  return a > b ? 1 : 0;
}
