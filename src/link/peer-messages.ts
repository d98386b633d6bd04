import { z } from 'zod';
import { CONSUMER_KINDS, type ConsumerKind, type Standing } from '../change/index.ts';
import type { Renewal } from '../kv/index.ts';
import type { Revision } from '../store/index.ts';

/** Of links between servers. */
export const PEER_PROTOCOL = 1;
/** Where a server takes links of others. */
export const PEER_LINK_PATH = '/v2/link/server';

/** Standings of one message at most; more go in several. */
export const STANDINGS_PER_MESSAGE = 1_000;
/** Renewals of one message at most. */
export const RENEWALS_PER_MESSAGE = 5_000;

/** What the server that made the link says. It alone says something of itself: the other has a link of its own. */
export type PeerMessage =
  | {
      readonly type: 'greeting';
      readonly protocol: number;
      readonly server: string;
      readonly incarnation: string;
      /** See `PeerKey`. */
      readonly proof: string;
      /** Which parts of the server itself take changes up. */
      readonly consumers: readonly ConsumerKind[];
    }
  /** All that it had to tell from before the link was told. */
  | { readonly type: 'told' }
  | { readonly type: 'applied'; readonly revision: Revision }
  | { readonly type: 'standings'; readonly standings: readonly Standing[] }
  | { readonly type: 'renewals'; readonly renewals: readonly Renewal[] }
  /** Something that a later version says. */
  | { readonly type: 'other' };

/** What is answered. */
export type PeerReply =
  | {
      readonly type: 'challenge';
      readonly protocol: number;
      readonly server: string;
      readonly incarnation: string;
      readonly nonce: string;
    }
  /** What happened before `since` is of no use to it. */
  | { readonly type: 'welcome'; readonly since: Revision }
  | { readonly type: 'refused'; readonly code: string; readonly message: string }
  | { readonly type: 'other' };

const text = z.string().max(4_096);
const revision = z.int().nonnegative();
const kind = z.enum(CONSUMER_KINDS);
const done = z.enum(['applied', 'unchanged']);
const tookMs = z.number().nonnegative();

const receipt = z.object({
  node: text,
  kind,
  revision,
  outcome: z.enum(['applied', 'unchanged', 'refused', 'failed', 'held']),
  reason: z.string().optional(),
  retryAt: text.optional(),
});

const standing = z.object({
  node: text,
  kind,
  applied: revision,
  outcome: done,
  took: z.array(z.tuple([revision, tookMs])),
  trouble: receipt.nullable(),
});

const MESSAGE = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('greeting'),
    protocol: z.number(),
    server: text,
    incarnation: text,
    proof: text,
    consumers: z.array(kind).max(CONSUMER_KINDS.length),
  }),
  z.object({ type: z.literal('told') }),
  z.object({ type: z.literal('applied'), revision }),
  z.object({ type: z.literal('standings'), standings: z.array(standing).max(STANDINGS_PER_MESSAGE) }),
  z.object({ type: z.literal('renewals'), renewals: z.array(z.tuple([text, tookMs])).max(RENEWALS_PER_MESSAGE) }),
]);

const REPLY = z.discriminatedUnion('type', [
  z.object({ type: z.literal('challenge'), protocol: z.number(), server: text, incarnation: text, nonce: text }),
  z.object({ type: z.literal('welcome'), since: revision }),
  z.object({ type: z.literal('refused'), code: text, message: text }),
]);

const MESSAGE_TYPES: ReadonlySet<unknown> = new Set(['greeting', 'told', 'applied', 'standings', 'renewals']);
const REPLY_TYPES: ReadonlySet<unknown> = new Set(['challenge', 'welcome', 'refused']);

/** What another server said. @throws ZodError for what is no message */
export function parsePeerMessage(value: unknown): PeerMessage {
  return isOther(value, MESSAGE_TYPES) ? { type: 'other' } : (MESSAGE.parse(value) as PeerMessage);
}

/** What another server answered. @throws ZodError for what is none */
export function parsePeerReply(value: unknown): PeerReply {
  return isOther(value, REPLY_TYPES) ? { type: 'other' } : REPLY.parse(value);
}

function isOther(value: unknown, known: ReadonlySet<unknown>): boolean {
  const { type } = z.object({ type: text }).parse(value);
  return !known.has(type);
}
