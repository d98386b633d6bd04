import type { Clock } from '../../lib/index.ts';
import type { RegionLinks } from '../../link/index.ts';
import { SlotKeeper, type SlotState } from '../../listener/index.ts';
import type { Catalog, StoreFeed } from '../../registry/index.ts';
import { tcpProbe, type Liveness, type TcpProbe } from '../liveness/index.ts';
import type { Log } from '../log.ts';
import { isSilentMachine } from './silent-machine.ts';

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

/** A server's part in how many nodes of a group provision at once; answers what nodes ask. */
export function startSlots({ slots, liveness, links, log, ...rest }: StartSlotsOptions): SlotKeeper {
  const { clock, probe = tcpProbe(clock) } = rest;
  const keeper = SlotKeeper.start({
    ...rest,
    state: slots,
    speaksFor: (node) => liveness.speaksFor(node),
    isSilent: (address) => isSilentMachine(probe, address),
    log: (text) => log.warn({}, text),
  });
  links.onQuestion('slot', (ask, { from }) => keeper.answer(ask, from));
  return keeper;
}
