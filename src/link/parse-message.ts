import { z } from 'zod';
import { nodeMessageSchema } from './message-schemas.ts';
import { PROTOCOL_VERSION, type NodeMessage, type RegionMessage } from './messages.ts';

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

/**
 * A node's message, all of it as it is said to be: nodes are many, and what they say is stored. A greeting of another protocol is
 * let by with what is the same in all, for the words that refuse it.
 *
 * @throws when it is no message of a node
 */
export function parseNodeMessage(value: unknown): NodeMessage {
  if (isForeignHello(value)) return value;
  const { success, data, error } = nodeMessageSchema.safeParse(value);
  if (success) return data as NodeMessage;
  const [issue] = error.issues;
  throw new Error(`${issue?.path.join('.') || 'it'}: ${issue?.message ?? z.prettifyError(error)}`);
}

/** A server's message: it is trusted with what it says of the region, as long as it is one. @throws when it is not */
export function parseRegionMessage(value: unknown): RegionMessage {
  const type = typeOf(value);
  if (!OF_REGIONS.has(type)) throw new Error(`there is no message of type ${JSON.stringify(type)}`);
  return value as RegionMessage;
}

function isForeignHello(value: unknown): value is Extract<NodeMessage, { type: 'hello' }> {
  if (typeOf(value) !== 'hello') return false;
  const { protocol } = value as { readonly protocol?: unknown };
  return typeof protocol === 'number' && protocol !== PROTOCOL_VERSION;
}

function typeOf(value: unknown): string {
  if (value === null || typeof value !== 'object') throw new Error('it is no object');
  return String((value as { readonly type?: unknown }).type);
}
