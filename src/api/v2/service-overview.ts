import { isIPv6 } from 'node:net';
import type { Definition } from '../../definition/index.ts';
import {
  addressOf,
  healthOf,
  portOf,
  requiredServices,
  ResolveScope,
  type CatalogReader,
  type Instance,
  type NodeView,
} from '../../registry/index.ts';
import { healthWord } from './health-word.ts';

/** A service of a federation: defined, or merely registered, or both. */
export interface ServiceOverview {
  readonly id: string;
  readonly federation: string;
  readonly definition: Definition | null;
  /** In order of node, then id. */
  readonly instances: readonly Instance[];
  /** Ids of the definitions that require something it provides, or the service itself, in order. */
  readonly requiredBy: readonly string[];
}

/** Consul's own service, which every server registers: it says nothing about what runs here. */
const CONSUL = 'consul';

/** Every service of the region but Consul's own, in order of id, then federation. Pure. */
export function serviceOverviews(catalog: CatalogReader): readonly ServiceOverview[] {
  const required = requirers(catalog);
  const found = new Map<string, ServiceOverview>();
  const put = (federation: string, id: string, parts: Partial<ServiceOverview>): void => {
    const key = keyOf(federation, id);
    const empty = {
      id,
      federation,
      definition: null,
      instances: [],
      requiredBy: [...(required.get(key) ?? [])].toSorted(),
    };
    found.set(key, { ...empty, ...found.get(key), ...parts });
  };
  for (const { record } of catalog.definitions()) put(record.federation, record.id, { definition: record });
  for (const service of catalog.serviceNames()) {
    const byFederation = Map.groupBy(catalog.instances(service), (one) => one.node.record.federation);
    for (const [federation, instances] of byFederation) put(federation, service, { instances });
  }
  return [...found.values()]
    .filter((one) => one.id !== CONSUL)
    .toSorted((a, b) => compare(a.id, b.id) || compare(a.federation, b.federation));
}

/** By service (`<federation>/<id>`) the definitions that require it. */
function requirers(catalog: CatalogReader): ReadonlyMap<string, ReadonlySet<string>> {
  const scope = new ResolveScope(catalog);
  const found = new Map<string, Set<string>>();
  for (const { record } of catalog.definitions()) {
    const services = [...requiredServices(scope, record).keys(), ...record.requiresServices];
    for (const id of services) {
      const key = keyOf(record.federation, id);
      found.set(key, (found.get(key) ?? new Set()).add(record.id));
    }
  }
  return found;
}

/** As `/v2/services` shows it; `views` are those of the agent's nodes, the first first. Pure. */
export function sayService(service: ServiceOverview, views: readonly NodeView[]) {
  const { id, federation, definition, instances, requiredBy } = service;
  return {
    id,
    federation,
    defined: definition !== null,
    public: definition?.public ?? false,
    instances: instances.length,
    health: healthWord(instances.map(healthOf)),
    requiredBy,
    reachedAt: reachedAt(service, views),
  };
}

/**
 * Where to try it from this machine: through the balancer of the first of the agent's nodes that has it; else, for a
 * service with `local_port`, at the instance on one of those nodes; else by its DNS name.
 */
function reachedAt({ id, federation, definition, instances }: ServiceOverview, views: readonly NodeView[]): string {
  const own = views.filter((view) => view.federation === federation);
  if (definition !== null && definition.localPort !== null) {
    for (const { balancer } of own)
      if (balancer?.frontends.some((frontend) => frontend.service === id) === true)
        return endpoint(balancer.address, definition.localPort);
    const here = instances.find((one) => own.some((view) => view.node === one.node.record.name));
    if (here !== undefined)
      return endpoint(addressOf(here), portOf(definition, here.record.port) ?? definition.localPort);
  }
  return `${id}.service.consul`;
}

function endpoint(address: string, port: number): string {
  return `${isIPv6(address) ? `[${address}]` : address}:${port}`;
}

function keyOf(federation: string, id: string): string {
  return `${federation}/${id}`;
}

function compare(a: string, b: string): number {
  if (a < b) return -1;
  return a > b ? 1 : 0;
}
