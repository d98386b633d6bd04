import { isDeepStrictEqual } from 'node:util';
import { healthOf, isRoutable } from '../registry/index.ts';
import type {
  AppliedChange,
  CatalogNode,
  CatalogReader,
  Health,
  InstanceRecord,
  NodeRecord,
} from '../registry/index.ts';
import { touchedNodes } from './touched-nodes.ts';

/** What DNS can say of a node: its record, and its instances that get traffic, by id. */
export interface NodeAnswers {
  readonly record: NodeRecord;
  readonly instances: ReadonlyMap<string, { readonly record: InstanceRecord; readonly health: Health }>;
}

/** What DNS can say of a node as it stands. Pure. */
export function answersOf(node: CatalogNode): NodeAnswers {
  const instances = [...node.instances.values()]
    .map((instance) => ({ record: instance.record, health: healthOf(instance) }))
    .filter(({ health }) => isRoutable(health))
    .map((one) => [one.record.id, one] as const);
  return { record: node.record, instances: instances.length === 0 ? NONE : new Map(instances) };
}

const NONE: NodeAnswers['instances'] = new Map();

/** Whether DNS answers otherwise: names, addresses, ports, weights, tags or meta of what is routable differ. Pure. */
export function answersDiffer(before: NodeAnswers | undefined, after: NodeAnswers | undefined): boolean {
  if (before === undefined || after === undefined) return before !== after;
  if (nodeDiffers(before.record, after.record) || before.instances.size !== after.instances.size) return true;
  return [...after.instances].some(([id, one]) => {
    const was = before.instances.get(id);
    return was === undefined || was.health !== one.health || instanceDiffers(was.record, one.record);
  });
}

function nodeDiffers(before: NodeRecord, after: NodeRecord): boolean {
  return before !== after && !isDeepStrictEqual(visibleNode(before), visibleNode(after));
}

function visibleNode({ id, address, taggedAddresses, meta, federation }: NodeRecord): unknown {
  return [id, address, taggedAddresses, meta, federation];
}

function instanceDiffers(before: InstanceRecord, after: InstanceRecord): boolean {
  return before !== after && !isDeepStrictEqual(visibleInstance(before), visibleInstance(after));
}

function visibleInstance({ service, address, port, taggedAddresses, weights, tags, meta }: InstanceRecord): unknown {
  return [service, address, port, taggedAddresses, weights, tags, meta];
}

/** Tells which changes make DNS answer otherwise: it remembers what it could say of each node, by reference. */
export class Answers {
  readonly #catalog: CatalogReader;
  readonly #nodes = new Map<string, NodeAnswers>();

  constructor(catalog: CatalogReader) {
    this.#catalog = catalog;
    for (const node of catalog.nodes()) this.#nodes.set(node.record.name, answersOf(node));
  }

  /** Whether some answer is another one since this change; to be called once for each, in order. */
  changedBy(change: AppliedChange): boolean {
    let differs = false;
    for (const name of touchedNodes(change)) {
      const node = this.#catalog.node(name);
      const [before, after] = [this.#nodes.get(name), node === undefined ? undefined : answersOf(node)];
      if (after === undefined) this.#nodes.delete(name);
      else this.#nodes.set(name, after);
      differs ||= answersDiffer(before, after);
    }
    return differs;
  }
}
