import { type RegionLinks } from '../../link/index.ts';
import { AliveWrites, type Catalog, type StoreFeed } from '../../registry/index.ts';
import { Liveness, type LivenessOptions } from './liveness.ts';
import { NodeReaper, type NodeReaperOptions } from './node-reaper.ts';
import { tcpProbe, type TcpProbe } from './tcp-probe.ts';

/** What liveness is made from in a server. */
export interface StartLivenessOptions extends Pick<
  LivenessOptions,
  'server' | 'alarms' | 'fence' | 'isRunning' | 'timing' | 'clock' | 'random' | 'log'
> {
  readonly catalog: Catalog;
  readonly feed: StoreFeed;
  /** The region's end of all links, by which nodes are asked to probe; not asked for before liveness looks. */
  readonly links: () => Pick<RegionLinks, 'ask'>;
  /** Over the network unless told. */
  readonly probe?: TcpProbe | undefined;
  /** Whether the store takes writes, as far as is known; always unless told. */
  readonly takesWrites?: (() => boolean) | undefined;
  /** 10 min unless told. */
  readonly alarmForMs?: number | undefined;
}

const ALARM_FOR_MS = 600_000;
/** What a question may take longer than the probes that it asks for. */
const ON_THE_WAY_MS = 500;

/** Liveness of a server: rests until `expectAll`. */
export function startLiveness(options: StartLivenessOptions): Liveness {
  const { catalog, feed, links, clock, probe = tcpProbe(clock), alarmForMs = ALARM_FOR_MS } = options;
  return new Liveness({
    ...options,
    probe,
    alarmForMs,
    writes: new AliveWrites(feed, catalog, options.takesWrites),
    ask: async (node, asked, timeoutMs) => {
      const targets = asked.map(({ address, port }) => ({ address, port }));
      const { found } = await links().ask(
        node,
        'probe',
        { targets, timeoutMs },
        { timeoutMs: timeoutMs + ON_THE_WAY_MS },
      );
      return found;
    },
  });
}

/** What nodes are removed with. */
export interface StartNodeReaperOptions extends Omit<NodeReaperOptions, 'writes' | 'reapAfterMs' | 'catalog'> {
  readonly catalog: Catalog;
  readonly feed: StoreFeed;
  /** 72 h unless told, as Consul's. */
  readonly reapAfterMs?: number | undefined;
}

const REAP_AFTER_MS = 72 * 3_600_000;

/** Removes nodes that have been gone for long. */
export function startNodeReaper(options: StartNodeReaperOptions): NodeReaper {
  const { catalog, feed, reapAfterMs = REAP_AFTER_MS } = options;
  return NodeReaper.start({ ...options, writes: new AliveWrites(feed, catalog), reapAfterMs });
}
