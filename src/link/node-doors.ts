import type { AccessControl } from '../access/index.ts';
import type { NodeChannel } from './channel-pair.ts';
import { authorityOf } from './link-authority.ts';
import type { NodeMessage, RegionMessage } from './messages.ts';
import { openWebSocket, type OpenWebSocketOptions } from './open-websocket.ts';
import { parseRegionMessage } from './parse-region-message.ts';
import type { RegionLinks } from './region-links.ts';
import { WebSocketEntrance, type WebSocketEntranceOptions } from './websocket-entrance.ts';

/** Where a server takes the links of nodes. */
export const NODE_LINK_PATH = '/v2/link';

/** With access control on, hardly any node has a link without a token. */
const MOST_UNNAMED = 32;

/** Opens a node's channel to a server. @throws LINK_UNREACHABLE with the system's or the server's words, the signal's reason */
export function openNodeChannel(
  options: Omit<OpenWebSocketOptions<RegionMessage>, 'parse' | 'path'>,
): Promise<NodeChannel> {
  return openWebSocket<RegionMessage, NodeMessage>({ ...options, path: NODE_LINK_PATH, parse: parseRegionMessage });
}

/** The door through which nodes of other processes come to a server; whose token is unknown does not pass it. */
export function nodeEntrance(
  links: RegionLinks,
  access: AccessControl,
  options: Pick<WebSocketEntranceOptions<NodeMessage, RegionMessage>, 'pulse' | 'limits'>,
): WebSocketEntrance<NodeMessage, RegionMessage> {
  let parse: ((value: unknown) => NodeMessage) | undefined;
  return new WebSocketEntrance({
    ...options,
    // The shapes of messages are not needed before a node of another process comes.
    prepare: async () => {
      parse ??= (await import('./parse-node-message.ts')).parseNodeMessage;
    },
    parse: (value) => (parse as (value: unknown) => NodeMessage)(value),
    admit: (peer) => void authorityOf(access, peer),
    mostOf: ({ secret }) => (access.isEnabled && secret === '' ? MOST_UNNAMED : Infinity),
    accept: (channel, peer) => links.accept(channel, peer),
  });
}
