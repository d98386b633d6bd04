import type { Changes } from '../../change/index.ts';
import type { ListenerStatus } from '../../listener/index.ts';
import {
  type CatalogReader,
  NODE_MAINTENANCE,
  type NodeRecord,
  type Registry,
  serviceMaintenance,
} from '../../registry/index.ts';
import { checkRecordOf } from '../../registry/testing.ts';
import type { ListenerControl, LocalNode } from '../local-node.ts';

const IDLE: ListenerStatus = Object.freeze({
  enabled: true,
  running: false,
  queued: false,
  runs: 0,
  last: null,
  configured: true,
  causes: [],
  held: null,
  retryAt: null,
});

/** A listener that notes what it is told and runs nothing. */
class CountingListener implements ListenerControl {
  #status = IDLE;

  status(): ListenerStatus {
    return this.#status;
  }

  on(): Promise<void> {
    return this.#become({ enabled: true, queued: true });
  }

  off(): Promise<void> {
    return this.#become({ enabled: false });
  }

  provision(): Promise<void> {
    return this.#become({ queued: true, causes: ['provision'] });
  }

  provisions(): readonly object[] {
    return [];
  }

  #become(change: Partial<ListenerStatus>): Promise<void> {
    this.#status = { ...this.#status, ...change };
    return Promise.resolve();
  }
}

export interface CatalogNodeOptions {
  readonly catalog: CatalogReader;
  readonly registry: Registry;
  readonly changes: Changes;
  readonly hasListener: boolean;
  readonly balancer: object | null;
}

/** A node of a region in memory: what the catalog says of it, with a listener that only counts. It registers nothing. */
export function catalogNode(
  name: string,
  { catalog, registry, changes, hasListener, balancer }: CatalogNodeOptions,
): LocalNode {
  const listener = hasListener ? new CountingListener() : null;
  const unsupported = (): never => {
    throw new TypeError('/v2 does not register');
  };
  return {
    get record(): NodeRecord {
      return catalog.node(name)?.record as NodeRecord;
    },
    services: () => [...(catalog.node(name)?.instances.values() ?? [])].map((one) => one.record),
    checks: () => [],
    registerService: unsupported,
    deregisterService: unsupported,
    registerCheck: unsupported,
    deregisterCheck: unsupported,
    updateTtl: unsupported,
    setMaintenance(serviceId, enable, reason) {
      const id = serviceId === null ? NODE_MAINTENANCE : serviceMaintenance(serviceId);
      if (!enable) return registry.report(name, [{ type: 'check-gone', id }]);
      const check = checkRecordOf({ id, serviceId: serviceId ?? '', status: 'critical', notes: reason });
      return registry.report(name, [{ type: 'check', check }]);
    },
    view: () => changes.view(name) ?? null,
    listener,
    balancerStatus: () => Promise.resolve(balancer),
  };
}
