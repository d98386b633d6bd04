import type { Clock } from '../../lib/index.ts';
import type { RegionLinks } from '../../link/index.ts';
import { SlotKeeper, type SlotState } from '../../listener/index.ts';
import type { Catalog, StoreFeed } from '../../registry/index.ts';
import { tcpProbe, type Liveness, type TcpProbe } from '../liveness/index.ts';
import type { Log } from '../log.ts';

export interface StartSlotsOptions {
  readonly slots: SlotState;
  readonly feed: StoreFeed;
  readonly catalog: Catalog;
  readonly links: RegionLinks;
  readonly liveness: Liveness;
  /** Over the network unless told. */
  readonly probe?: TcpProbe | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** A port where nothing is expected: a machine that is there refuses it. */
const NOBODYS_PORT = 1;
const SILENT_MS = 1_000;

/** A server's part in how many nodes of a group provision at once; answers what nodes ask. */
export function startSlots({ slots, liveness, links, log, ...rest }: StartSlotsOptions): SlotKeeper {
  const { clock, probe = tcpProbe(clock) } = rest;
  const keeper = SlotKeeper.start({
    ...rest,
    state: slots,
    speaksFor: (node) => liveness.speaksFor(node),
    isSilent: async (address) => (await probe({ address, port: NOBODYS_PORT }, SILENT_MS)) === 'silent',
    log: (text) => log.warn({}, text),
  });
  links.onQuestion('slot', (ask, { from }) => keeper.answer(ask, from));
  return keeper;
}
