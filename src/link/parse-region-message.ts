import type { RegionMessage } from './messages.ts';

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

/** A server's message: it is trusted with what it says of the region, as long as it is one. @throws when it is not */
export function parseRegionMessage(value: unknown): RegionMessage {
  const type = typeOf(value);
  if (!OF_REGIONS.has(type)) throw new Error(`there is no message of type ${JSON.stringify(type)}`);
  return value as RegionMessage;
}

/** The type that something says it is of. @throws when it is no object */
export function typeOf(value: unknown): string {
  if (value === null || typeof value !== 'object') throw new Error('it is no object');
  return String((value as { readonly type?: unknown }).type);
}
