import { fingerprint } from '../lib/index.ts';
import { addressOf, healthOf, isRoutable } from '../registry/index.ts';
import type { AppliedChange, CatalogReader, Health, Instance } from '../registry/index.ts';

/** A digest of all that DNS can say of a service: its routable instances with addresses, ports, weights, tags. Pure. */
export function serviceAnswers(catalog: CatalogReader, service: string): string {
  const routable = catalog
    .instances(service)
    .map((instance) => ({ instance, health: healthOf(instance) }))
    .filter(({ health }) => isRoutable(health))
    .map(({ instance, health }) => visiblePart(instance, health));
  return routable.length === 0 ? '' : fingerprint(routable);
}

function visiblePart(instance: Instance, health: Health): unknown {
  const { id, port, weights, tags, taggedAddresses, meta } = instance.record;
  const { name, federation, address, taggedAddresses: nodeAddresses } = instance.node.record;
  return {
    name,
    federation,
    address,
    nodeAddresses,
    id,
    port,
    weights,
    tags,
    taggedAddresses,
    meta,
    health,
    at: addressOf(instance),
  };
}

/** A digest of all that DNS can say of a node: its addresses and meta; empty for one that is not there. Pure. */
export function nodeAnswers(catalog: CatalogReader, node: string): string {
  const record = catalog.node(node)?.record;
  return record === undefined ? '' : fingerprint([record.address, record.taggedAddresses, record.meta, record.id]);
}

/** Tells which changes make DNS answer otherwise: it remembers a digest for each service and node. */
export class Answers {
  readonly #catalog: CatalogReader;
  readonly #services = new Map<string, string>();
  readonly #nodes = new Map<string, string>();

  constructor(catalog: CatalogReader) {
    this.#catalog = catalog;
    for (const service of catalog.serviceNames()) this.#services.set(service, serviceAnswers(catalog, service));
    for (const { record } of catalog.nodes()) this.#nodes.set(record.name, nodeAnswers(catalog, record.name));
  }

  /** Whether some answer is another one since this change; to be called once for each, in order. */
  changedBy(change: AppliedChange): boolean {
    const services = [...change.services].filter((one) =>
      replace(this.#services, one, serviceAnswers(this.#catalog, one)),
    );
    const nodes = [...change.nodes].filter((one) => replace(this.#nodes, one, nodeAnswers(this.#catalog, one)));
    return services.length + nodes.length > 0;
  }
}

function replace(digests: Map<string, string>, name: string, digest: string): boolean {
  const before = digests.get(name) ?? '';
  if (digest === '') digests.delete(name);
  else digests.set(name, digest);
  return before !== digest;
}
