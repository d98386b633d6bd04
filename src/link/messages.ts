import type { Receipt } from '../change/index.ts';
import type { DirectChoice, NodeRegistration, NodeView, Transition } from '../registry/index.ts';
import type { Revision } from '../store/index.ts';
import type { RegistrationDigests } from './registration-digest.ts';
import type { GivenRecords, WantedRecords } from './registration-match.ts';

/** Said in the greeting; a side that does not speak it refuses with both numbers. */
export const PROTOCOL_VERSION = 2;

/** The id under which records are wanted for a greeting. */
export const GREETING_ID = 0;

/** What a node says. `id` is answered by a `reply` of the same id. */
export type NodeMessage =
  | {
      readonly type: 'hello';
      readonly protocol: number;
      readonly node: string;
      /** Rises with every start of the agent: a message of an older epoch is refused. */
      readonly epoch: number;
      /** Which agent it is, whatever its start; empty: it does not say. */
      readonly agent: string;
      readonly record: NodeRegistration['node'];
      readonly digests: RegistrationDigests;
      readonly choices: Readonly<Record<string, DirectChoice>>;
    }
  | { readonly type: 'report'; readonly id: number; readonly transitions: readonly Transition[] }
  /** Compares all that is registered, by one digest; answered by `reply` where the region holds the same, else by `differs`. */
  | { readonly type: 'sync'; readonly id: number; readonly digest: string }
  /** After `differs`: record by record. */
  | {
      readonly type: 'details';
      readonly id: number;
      readonly record: NodeRegistration['node'];
      readonly digests: RegistrationDigests;
    }
  /** After `want`: the records that are wanted. */
  | ({ readonly type: 'give'; readonly id: number } & GivenRecords)
  | { readonly type: 'receipt'; readonly receipt: Receipt }
  | Question
  | Answered
  | { readonly type: 'ping' };

/** A question of either end (`questions.ts`); `id` is of the end that asks. */
export interface Question {
  readonly type: 'ask';
  readonly id: number;
  readonly kind: string;
  readonly ask: unknown;
}

/** What becomes of a question. */
export type Answered =
  | { readonly type: 'answer'; readonly id: number; readonly answer: unknown }
  | {
      readonly type: 'answer-error';
      readonly id: number;
      readonly code: string;
      readonly status: number;
      readonly message: string;
      readonly hint?: string;
    };

/** A server of the region, as nodes come to know it. */
export interface KnownServer {
  readonly name: string;
  /** `http://10.0.0.1:8500`. */
  readonly url: string;
}

/** What the region says to a node. */
export type RegionMessage =
  | {
      readonly type: 'welcome';
      readonly protocol: number;
      readonly server: string;
      readonly revision: Revision;
      /** So many times as long as usual lies between two comparisons, as the region is large. */
      readonly syncFactor: number;
    }
  /** The greeting is not accepted; the region closes after it. `epoch`: it was too old, this one has spoken. */
  | { readonly type: 'refused'; readonly code: string; readonly message: string; readonly epoch?: number }
  /** What differs, and has to be sent whole. */
  | ({ readonly type: 'want'; readonly id: number } & WantedRecords)
  | { readonly type: 'differs'; readonly id: number }
  | { readonly type: 'view'; readonly view: NodeView }
  | { readonly type: 'reply'; readonly id: number; readonly revision: Revision }
  | {
      readonly type: 'reply-error';
      readonly id: number;
      readonly code: string;
      /** As of HTTP, so that the node's own API can answer with it. */
      readonly status: number;
      readonly message: string;
      readonly hint?: string;
    }
  | { readonly type: 'order'; readonly fence: Revision; readonly order: Order }
  /** Which servers there are, at the beginning and whenever that changes. */
  | { readonly type: 'servers'; readonly servers: readonly KnownServer[] }
  | Question
  | Answered
  | { readonly type: 'pong' };

/** Something the region tells a node to do; the scheduler and the fleet will add theirs. */
export type Order =
  | { readonly type: 'provision'; readonly skipSettle: boolean; readonly cause?: string }
  | { readonly type: 'listener'; readonly enabled: boolean };
