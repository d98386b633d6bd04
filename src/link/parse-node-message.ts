import { z } from 'zod';
import { nodeMessageSchema } from './message-schemas.ts';
import { typeOf } from './parse-region-message.ts';
import { PROTOCOL_VERSION, type NodeMessage } from './messages.ts';

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

function isForeignHello(value: unknown): value is Extract<NodeMessage, { type: 'hello' }> {
  if (typeOf(value) !== 'hello') return false;
  const { protocol } = value as { readonly protocol?: unknown };
  return typeof protocol === 'number' && protocol !== PROTOCOL_VERSION;
}
