import type { Ask } from '../../event/index.ts';
import type { AliasTarget } from '../../health/index.ts';
import type { Clock } from '../../lib/index.ts';
import type { CheckRecord, CheckStatus } from '../../registry/index.ts';
import type { RegionTargets } from '../node-targets.ts';

export interface RemoteTargetsOptions {
  /** Asks the region's API. Rejects when nobody answers. */
  readonly ask: Ask;
  /** After a question that came to nothing. */
  readonly retryMs: number;
  readonly clock: Clock;
}

/** A node elsewhere, as it was last heard of. */
interface Watched {
  /** null: nothing was heard yet. */
  checks: readonly CheckRecord[] | null;
  services: ReadonlySet<string>;
  isThere: boolean;
  readonly listeners: Set<() => void>;
  readonly ending: AbortController;
}

/**
 * Targets of aliases on nodes elsewhere, for an agent whose region is elsewhere too: asked for by blocking queries for as long as
 * somebody follows them. While no server can be asked they are as they were.
 */
export class RemoteTargets implements RegionTargets, Disposable {
  readonly #options: RemoteTargetsOptions;
  readonly #watched = new Map<string, Watched>();

  constructor(options: RemoteTargetsOptions) {
    this.#options = options;
  }

  checksOf({ node, serviceId }: AliasTarget): readonly CheckRecord[] | null {
    const known = this.#watched.get(node);
    // Not known yet is neither well nor gone.
    if (known?.checks == null) return [UNKNOWN];
    if (!known.isThere || (serviceId !== '' && !known.services.has(serviceId))) return null;
    return known.checks.filter((check) => check.serviceId === '' || check.serviceId === serviceId);
  }

  onChange({ node }: AliasTarget, listen: () => void): () => void {
    const watched = this.#watched.get(node) ?? this.#watch(node);
    const listener = (): void => listen();
    watched.listeners.add(listener);
    return () => {
      watched.listeners.delete(listener);
      if (watched.listeners.size > 0 || this.#watched.get(node) !== watched) return;
      this.#watched.delete(node);
      watched.ending.abort();
    };
  }

  [Symbol.dispose](): void {
    for (const { ending } of this.#watched.values()) ending.abort();
    this.#watched.clear();
  }

  #watch(node: string): Watched {
    const ending = new AbortController();
    const watched = {
      checks: null,
      services: new Set<string>(),
      isThere: false,
      listeners: new Set<() => void>(),
      ending,
    };
    this.#watched.set(node, watched);
    void this.#follow(node, watched);
    return watched;
  }

  /** Ends when the signal is aborted; never rejects. */
  async #follow(node: string, watched: Watched): Promise<void> {
    const { clock, retryMs } = this.#options;
    const { signal } = watched.ending;
    let index = '';
    while (!signal.aborted) {
      try {
        index = await this.#look(node, watched, index, signal);
      } catch {
        index = '';
        await clock.sleep(retryMs, signal).catch(() => undefined);
      }
    }
  }

  async #look(node: string, watched: Watched, index: string, signal: AbortSignal): Promise<string> {
    const name = encodeURIComponent(node);
    const wait = index === '' ? '' : `?index=${index}&wait=60s`;
    const health = await this.#options.ask(`/v1/health/node/${name}${wait}`, signal);
    const catalog = await this.#options.ask(`/v1/catalog/node/${name}`, signal);
    if (health.status !== 200 || catalog.status !== 200) throw new Error(`status ${health.status}, ${catalog.status}`);
    const found = JSON.parse(catalog.body) as { readonly Services: Record<string, unknown> } | null;
    watched.checks = (JSON.parse(health.body) as WireCheck[]).map(recordOf);
    watched.isThere = found !== null;
    watched.services = new Set(Object.keys(found?.Services ?? {}));
    for (const listen of watched.listeners) listen();
    return health.index;
  }
}

interface WireCheck {
  readonly CheckID: string;
  readonly Name: string;
  readonly Status: string;
  readonly Output: string;
  readonly ServiceID: string;
  readonly Type: string;
  readonly Definition?: Readonly<Record<string, unknown>>;
}

function recordOf({ CheckID, Name, Status, Output, ServiceID, Type, Definition = {} }: WireCheck): CheckRecord {
  const about = { id: CheckID, name: Name, output: Output, serviceId: ServiceID, type: Type };
  return { ...EMPTY, ...about, status: Status as CheckStatus, definition: Definition };
}

const EMPTY = Object.freeze({ notes: '', interval: '', timeout: '', since: '' });
const UNKNOWN: CheckRecord = Object.freeze({
  ...EMPTY,
  id: '',
  name: '',
  output: '',
  serviceId: '',
  type: '',
  status: 'unknown',
  definition: Object.freeze({}),
});
