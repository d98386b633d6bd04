import { Changes, HistoryLog } from '../../change/index.ts';
import { userEvents } from '../../event/index.ts';
import { sessionCompare } from '../../kv/index.ts';
import { PeerKey, unheardConsumers } from '../../link/index.ts';
import { type Catalog, LiveQueries, preparedParts, Registry } from '../../registry/index.ts';
import { tcpProbe } from '../liveness/index.ts';
import { ReachNode } from './reach-node.ts';
import { reportTo, type RegionOptions } from './region-options.ts';
import type { RegionParts } from './region-parts.ts';
import { isSilentMachine } from './silent-machine.ts';
import { startAccess } from './start-access.ts';
import { startFeed, type Fed } from './start-feed.ts';
import { startLinks } from './start-links.ts';
import { startServers } from './start-servers.ts';
import { startUpkeep } from './start-upkeep.ts';
import { startWrites } from './start-writes.ts';
import { indexOfStates, newStates, type States } from './states.ts';

/** Starts all that a region's server is made of, in the order in which a change flows; `stack` ends it in reverse. */
export async function startParts(options: RegionOptions, stack: AsyncDisposableStack): Promise<RegionParts> {
  const states = newStates(options);
  const fed = await startFeed(options, states, stack);
  const key = new PeerKey();
  const servers = stack.use(await startServers(options, states, fed, key));
  const reads = await startReads(options, states, fed, stack);
  const cacheCheck = await startUpkeep(options, fed, stack);
  const acl = await startAccess(options, states, fed, stack);
  const links = await startLinks(options, states, fed, { ...reads, acl, servers, key }, stack);
  const { catalog, kv, sessions, eventLog } = states;
  const { store, duties, feed, checkHistory } = fed;
  const { probe = tcpProbe(options.clock) } = options;
  return {
    store,
    duties,
    feed,
    checkHistory,
    catalog,
    kv,
    sessions,
    servers,
    cacheCheck,
    acl,
    ...reads,
    ...links,
    ...(await startWrites(options, states, fed, { ...links, servers }, stack)),
    ...preparedOf(options, states, fed),
    reach: new ReachNode({ links: links.links, catalog, servers, isSilent: (at) => isSilentMachine(probe, at) }),
    history: new HistoryLog(store),
    userEvents: userEvents(feed, eventLog, (text) => options.log.warn({}, text)),
  };
}

/** The registry, and who is told of what becomes different in it. */
async function startReads(
  { server, historyKeepMs, clock, random, log }: RegionOptions,
  states: States,
  { feed, takesWrites }: Fed,
  stack: AsyncDisposableStack,
): Promise<Pick<RegionParts, 'registry' | 'changes' | 'queries'>> {
  const { catalog, known } = states;
  const held = { feed, takesWrites, report: reportTo(log) };
  const registry = stack.use(new Registry({ feed, catalog, clock, server, history: historyKeepMs > 0, held }));
  // What is committed before the links to other servers stand waits for those as well.
  const others = unheardConsumers(known.list().filter(({ name }) => name !== server));
  const changes = stack.use(await Changes.start({ feed, catalog, clock, owns: ownsOf(catalog, server), others }));
  const queries = stack.use(await LiveQueries.start({ feed, index: indexOfStates(states), clock, random }));
  return { registry, changes, queries };
}

/** Whether a node has not gone over to another server. */
function ownsOf(catalog: Catalog, self: string): (node: string) => boolean {
  return (node) => (catalog.nodeState(node)?.owner?.server ?? self) === self;
}

function preparedOf(
  { server: agent }: RegionOptions,
  { preparedState: state, catalog, sessions }: States,
  { feed }: Fed,
): ReturnType<typeof preparedParts> {
  const session = (id: string): ReturnType<typeof sessionCompare> => sessionCompare(sessions, id);
  return preparedParts({ state, feed, catalog, agent, session });
}
