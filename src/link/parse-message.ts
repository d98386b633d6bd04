import type { NodeMessage, RegionMessage } from './messages.ts';

const OF_NODES: ReadonlySet<string> = new Set<NodeMessage['type']>([
  'hello',
  'report',
  'sync',
  'details',
  'give',
  'receipt',
  'ask',
  'answer',
  'answer-error',
  'ping',
]);
const OF_REGIONS: ReadonlySet<string> = new Set<RegionMessage['type']>([
  'welcome',
  'refused',
  'want',
  'differs',
  'view',
  'reply',
  'reply-error',
  'order',
  'servers',
  'ask',
  'answer',
  'answer-error',
  'pong',
]);

/** @throws when it is no message of a node */
export function parseNodeMessage(value: unknown): NodeMessage {
  return parse(value, OF_NODES) as NodeMessage;
}

/** @throws when it is no message of a region */
export function parseRegionMessage(value: unknown): RegionMessage {
  return parse(value, OF_REGIONS) as RegionMessage;
}

function parse(value: unknown, types: ReadonlySet<string>): unknown {
  if (value === null || typeof value !== 'object') throw new Error('it is no object');
  const { type } = value as { readonly type?: unknown };
  if (typeof type !== 'string' || !types.has(type))
    throw new Error(`there is no message of type ${JSON.stringify(type)}`);
  return value;
}
