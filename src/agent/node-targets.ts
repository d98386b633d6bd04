import type { AliasTarget, AliasTargets } from '../health/index.ts';
import type { CatalogNode, CatalogReader, CheckRecord, Feed } from '../registry/index.ts';
import { isGone, isLost, topic } from '../registry/index.ts';
import type { LocalServices } from './local-services.ts';

/** How nodes and instances elsewhere in the region are. */
export type RegionTargets = Pick<AliasTargets, 'checksOf' | 'onChange'>;

/** Targets of aliases as the region's catalog has them; a node that is down is a critical check of its own. */
export function regionTargets(catalog: CatalogReader, feed: Pick<Feed, 'onApplied'>): RegionTargets {
  return {
    checksOf({ node: name, serviceId }) {
      const node = catalog.node(name);
      const instance = node?.instances.get(serviceId);
      if (node === undefined || (serviceId !== '' && instance === undefined)) return null;
      const checks = [...node.checks.values(), ...(instance?.checks.values() ?? [])];
      return [...livenessOf(node, serviceId), ...checks.map(({ record }) => record)];
    },
    onChange({ node }, listen) {
      const touched = [topic.node(node), topic.nodeChecks(node)];
      return feed.onApplied(({ topics, nodes }) => {
        if (nodes.has(node) || touched.some((one) => topics.has(one))) listen();
      });
    },
  };
}

/** Targets of the aliases of one node: its own from what runs here, also without the region; others' from the region. */
export class NodeTargets implements AliasTargets {
  readonly node: string;
  readonly #region: RegionTargets;
  readonly #listeners = new Set<() => void>();
  #own: Pick<LocalServices, 'checks' | 'instances'> | null = null;

  constructor(node: string, region: RegionTargets) {
    this.node = node;
    this.#region = region;
  }

  /** Says where the node's own services and checks are. */
  follow(own: Pick<LocalServices, 'checks' | 'instances'>): void {
    this.#own = own;
    this.changed();
  }

  /** A service or check of the own node changed. */
  changed(): void {
    for (const listen of this.#listeners) listen();
  }

  checksOf(target: AliasTarget): readonly CheckRecord[] | null {
    if (target.node !== this.node || this.#own === null) return this.#region.checksOf(target);
    const { serviceId } = target;
    if (serviceId !== '' && !this.#own.instances().some(({ id }) => id === serviceId)) return null;
    return this.#own.checks().filter((check) => check.serviceId === '' || check.serviceId === serviceId);
  }

  onChange(target: AliasTarget, listen: () => void): () => void {
    if (target.node !== this.node) return this.#region.onChange(target, listen);
    // Two aliases may bring the same function.
    const listener = (): void => listen();
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}

/** Consul's serfHealth, when it is bad for the node or for that instance of it. */
function livenessOf({ record, alive }: CatalogNode, serviceId: string): CheckRecord[] {
  const isBad = serviceId === '' ? isGone(alive) : isLost(alive, serviceId);
  if (record.external || !isBad) return [];
  const output = alive.evidence ?? 'Agent not live or unreachable';
  return [{ ...SERF_HEALTH, output, since: alive.since }];
}

const SERF_HEALTH: Omit<CheckRecord, 'output' | 'since'> = Object.freeze({
  id: 'serfHealth',
  name: 'Serf Health Status',
  serviceId: '',
  status: 'critical',
  notes: '',
  type: '',
  interval: '',
  timeout: '',
  definition: {},
});
