import { isDeepStrictEqual } from 'node:util';
import { healthOf, isRoutable } from '../registry/index.ts';
import type { AppliedChange, CatalogReader, Health, Instance, InstanceRecord, NodeRecord } from '../registry/index.ts';

/** What DNS can say of a service: its instances that get traffic, in order of node name, then id. */
export type ServiceAnswers = readonly {
  readonly node: string;
  readonly record: InstanceRecord;
  readonly health: Health;
}[];

const NONE: ServiceAnswers = Object.freeze([]);

/** What DNS can say of a service's instances as they stand. Pure. */
export function answersOf(instances: readonly Instance[]): ServiceAnswers {
  const routable = instances
    .map((instance) => ({ node: instance.node.record.name, record: instance.record, health: healthOf(instance) }))
    .filter(({ health }) => isRoutable(health));
  return routable.length === 0 ? NONE : routable;
}

/** Whether DNS answers otherwise: names, addresses, ports, weights, tags or meta of what is routable differ. Pure. */
export function answersDiffer(before: ServiceAnswers, after: ServiceAnswers): boolean {
  if (before.length !== after.length) return true;
  return after.some((one, index) => {
    const was = before[index];
    if (was === undefined || was.node !== one.node || was.health !== one.health) return true;
    return was.record !== one.record && !isDeepStrictEqual(visibleInstance(was.record), visibleInstance(one.record));
  });
}

/** Whether DNS says something else of a node itself: it came or went, or its address, name or meta differ. Pure. */
export function nodeDiffers(before: NodeRecord | undefined, after: NodeRecord | undefined): boolean {
  if (before === undefined || after === undefined) return before !== after;
  return before !== after && !isDeepStrictEqual(visibleNode(before), visibleNode(after));
}

function visibleNode({ id, address, taggedAddresses, meta, federation }: NodeRecord): unknown {
  return [id, address, taggedAddresses, meta, federation];
}

function visibleInstance({
  id,
  service,
  address,
  port,
  taggedAddresses,
  weights,
  tags,
  meta,
}: InstanceRecord): unknown {
  return [id, service, address, port, taggedAddresses, weights, tags, meta];
}

/**
 * Tells which changes make DNS answer otherwise: it remembers what it could say of each node and service, by reference. A
 * change costs what its services have, however much else is on its nodes.
 */
export class Answers {
  readonly #catalog: CatalogReader;
  readonly #nodes = new Map<string, NodeRecord>();
  readonly #services = new Map<string, ServiceAnswers>();

  constructor(catalog: CatalogReader) {
    this.#catalog = catalog;
    for (const { record } of catalog.nodes()) this.#nodes.set(record.name, record);
    for (const service of catalog.serviceNames()) this.#remember(service, answersOf(catalog.instances(service)));
  }

  /** Whether some answer is another one since this change; to be called once for each, in order. */
  changedBy(change: AppliedChange): boolean {
    let differs = false;
    for (const name of change.nodes) differs = this.#nodeChanged(name) || differs;
    for (const service of change.services) differs = this.#serviceChanged(service) || differs;
    return differs;
  }

  #nodeChanged(name: string): boolean {
    const [before, after] = [this.#nodes.get(name), this.#catalog.node(name)?.record];
    if (after === undefined) this.#nodes.delete(name);
    else this.#nodes.set(name, after);
    return nodeDiffers(before, after);
  }

  #serviceChanged(service: string): boolean {
    const [before, after] = [this.#services.get(service) ?? NONE, answersOf(this.#catalog.instances(service))];
    this.#remember(service, after);
    return answersDiffer(before, after);
  }

  #remember(service: string, answers: ServiceAnswers): void {
    if (answers.length === 0) this.#services.delete(service);
    else this.#services.set(service, answers);
  }
}
