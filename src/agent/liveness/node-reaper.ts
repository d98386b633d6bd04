import { messageOf, type Clock, type Timer } from '../../lib/index.ts';
import { isGone, type AliveWrites, type Catalog } from '../../registry/index.ts';
import type { Fence } from '../../store/index.ts';
import type { Log } from '../log.ts';
import type { AlarmState } from './alarm-state.ts';
import { isReaped } from './reap.ts';

export interface NodeReaperOptions {
  readonly catalog: Pick<Catalog, 'nodes'>;
  readonly writes: Pick<AliveWrites, 'reap'>;
  readonly alarms: Pick<AlarmState, 'alarm'>;
  readonly fence: Fence;
  /** How long a node that is down or left is kept. */
  readonly reapAfterMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** So many nodes are removed in one go. */
const AT_ONCE = 50;

/** Removes nodes that have been gone for very long, with what they hold; none while a partition alarm stands. */
export class NodeReaper implements Disposable {
  readonly #options: NodeReaperOptions;
  readonly #seenAtMs = new Map<string, number>();
  #timer: Timer | null = null;
  #isClosed = false;

  static start(options: NodeReaperOptions): NodeReaper {
    const reaper = new NodeReaper(options);
    reaper.#arm();
    return reaper;
  }

  private constructor(options: NodeReaperOptions) {
    this.#options = options;
  }

  /** Removes whom it is time for; resolves with their names. */
  async reap(): Promise<string[]> {
    const { alarms, fence, writes } = this.#options;
    const due = this.#due();
    const reaped: string[] = [];
    for (const name of due.slice(0, AT_ONCE)) {
      const compare = fence();
      if (compare === null || alarms.alarm !== null || this.#isClosed) break;
      if ((await writes.reap(name, compare)) !== null) reaped.push(name);
    }
    return reaped;
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #due(): string[] {
    const { catalog, clock, reapAfterMs } = this.#options;
    const gone = catalog.nodes().filter(({ record, alive }) => !record.external && isGone(alive));
    const names = new Set(gone.map(({ record }) => record.name));
    for (const name of this.#seenAtMs.keys()) if (!names.has(name)) this.#seenAtMs.delete(name);
    for (const name of names) if (!this.#seenAtMs.has(name)) this.#seenAtMs.set(name, clock.now());
    return gone
      .filter((node) => {
        const seenMs = clock.now() - (this.#seenAtMs.get(node.record.name) as number);
        return isReaped(node, { saidMs: clock.wall() - Date.parse(node.alive.since), seenMs }, reapAfterMs);
      })
      .map(({ record }) => record.name);
  }

  #arm(): void {
    const { clock, log, reapAfterMs } = this.#options;
    this.#timer = clock.after(Math.min(60_000, Math.max(1_000, reapAfterMs / 4)), () => {
      this.reap()
        .then((names) => {
          if (names.length > 0) log.info({ nodes: names }, 'nodes that were gone for long were removed');
        })
        .catch((error: unknown) => log.warn({}, `no nodes were removed: ${messageOf(error)}`))
        .finally(() => {
          if (!this.#isClosed) this.#arm();
        });
    });
  }
}
