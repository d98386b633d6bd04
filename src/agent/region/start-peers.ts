import type { Changes, ConsumerKind } from '../../change/index.ts';
import type { Clock, Timing } from '../../lib/index.ts';
import {
  openWebSocket,
  parsePeerMessage,
  parsePeerReply,
  PEER_LINK_PATH,
  PeerLinks,
  WebSocketEntrance,
  type LinkPulse,
  type PeerKey,
  type PeerMessage,
  type PeerReply,
  type SpeakerChannel,
} from '../../link/index.ts';
import type { Feed, ServerRecord } from '../../registry/index.ts';
import type { UpgradeHandler } from '../../api/index.ts';
import type { Log } from '../log.ts';
import { bracketed } from '../own-address.ts';
import type { RegionServers } from '../servers/region-servers.ts';

/** Makes a channel to another server. */
export type OpenPeer = (peer: ServerRecord, signal: AbortSignal) => Promise<SpeakerChannel>;

export interface StartPeersOptions {
  readonly servers: RegionServers;
  readonly key: PeerKey;
  /** Which parts of this server take changes up: its DNS. */
  readonly serverConsumers: readonly ConsumerKind[];
  readonly changes: Changes;
  readonly feed: Pick<Feed, 'onApplied'>;
  readonly pulse: LinkPulse;
  /** Over a WebSocket unless told. */
  readonly openPeer?: OpenPeer;
  readonly timing: Timing;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

/** The links to the region's other servers, and where theirs come in. */
export async function startPeers(
  options: StartPeersOptions,
  stack: AsyncDisposableStack,
): Promise<{ readonly peers: PeerLinks; readonly upgrade: UpgradeHandler }> {
  const { servers, key, serverConsumers, feed, pulse, log } = options;
  const { name, incarnation } = servers.self;
  const peers = stack.use(
    await PeerLinks.start({
      ...options,
      self: { server: name, incarnation, key, consumers: serverConsumers },
      open: options.openPeer ?? overWebSocket(pulse),
      onApplied: (listen) => feed.onApplied(() => listen()),
      warn: (text) => log.warn({}, text),
    }),
  );
  const entrance = stack.use(
    new WebSocketEntrance<PeerMessage, PeerReply>({
      pulse,
      parse: parsePeerMessage,
      // Whoever comes is challenged in the link's own first message.
      admit: () => undefined,
      // Each server makes one.
      mostOf: () => MOST_OF_AN_ADDRESS,
      accept: (channel) => peers.accept(channel),
    }),
  );
  return { peers, upgrade: entrance.upgrade };
}

const MOST_OF_AN_ADDRESS = 32;

function overWebSocket(pulse: LinkPulse): OpenPeer {
  return ({ address, httpPort }, signal) =>
    openWebSocket({
      url: `http://${bracketed(address)}:${httpPort}`,
      path: PEER_LINK_PATH,
      token: '',
      pulse,
      parse: parsePeerReply,
      signal,
    });
}
