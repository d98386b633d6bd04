import {
  LinkPulse,
  NODE_LINK_PATH,
  nodeEntrance,
  PEER_LINK_PATH,
  type PeerKey,
  RegionLinks,
} from '../../link/index.ts';
import { startLiveness, startNodeReaper } from '../liveness/index.ts';
import type { RegionOptions } from './region-options.ts';
import type { RegionParts } from './region-parts.ts';
import type { Fed } from './start-feed.ts';
import { startPeers } from './start-peers.ts';
import { startSlots } from './start-slots.ts';
import type { States } from './states.ts';

/** What the links of nodes and of other servers speak for. */
export interface Linked extends Pick<RegionParts, 'registry' | 'changes' | 'acl' | 'servers'> {
  readonly key: PeerKey;
}

type NodeLinks = Pick<RegionParts, 'links' | 'liveness' | 'pulse' | 'upgrades'>;
/** The ends of all links at this server. */
export type Links = NodeLinks & Pick<RegionParts, 'peers'>;

/** The region's end of all links, to nodes and to other servers; what becomes of nodes whose link is lost. */
export async function startLinks(
  options: RegionOptions,
  states: States,
  fed: Fed,
  linked: Linked,
  stack: AsyncDisposableStack,
): Promise<Links> {
  const nodes = await startNodeLinks(options, states, fed, linked, stack);
  const { serverConsumers = [] } = options;
  const { peers, upgrade } = await startPeers(
    { ...options, ...linked, serverConsumers, feed: fed.feed, pulse: nodes.pulse },
    stack,
  );
  nodes.upgrades.set(PEER_LINK_PATH, upgrade);
  const tell = (): void => nodes.links.tellServers(linked.servers.reachable());
  stack.defer(linked.servers.onChange(tell));
  tell();
  return { ...nodes, peers };
}

async function startNodeLinks(
  options: RegionOptions,
  { catalog, alarms, known, slots }: States,
  { feed, fence, takesWrites }: Fed,
  { registry, changes, acl: { access } }: Linked,
  stack: AsyncDisposableStack,
): Promise<NodeLinks> {
  const { server, timing, clock, log } = options;
  const judged = { ...options, catalog, feed, takesWrites, alarms, known, slots, fence: fence('liveness') };
  const isRunning = (name: string): boolean => name === server || known.get(name) !== undefined;
  const liveness = stack.use(startLiveness({ ...judged, isRunning, links: () => links }));
  const links: RegionLinks = stack.use(
    await RegionLinks.start({
      server,
      authority: registry,
      access,
      changes,
      clock,
      onLinked: (node) => liveness.linked(node),
      onQuiet: (node) => liveness.quiet(node),
      onUnlinked: (node, reason, silentForMs) => liveness.unlinked(node, reason, silentForMs),
      warn: (text) => log.warn({}, text),
    }),
  );
  liveness.expectAll();
  stack.use(startNodeReaper(judged));
  stack.use(startSlots({ ...judged, links, liveness }));
  const pulse = stack.use(new LinkPulse({ clock, timing }));
  const entrance = stack.use(nodeEntrance(links, access, { pulse }));
  return { links, liveness, pulse, upgrades: new Map([[NODE_LINK_PATH, entrance.upgrade]]) };
}
