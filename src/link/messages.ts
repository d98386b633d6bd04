import type { Receipt } from '../change/index.ts';
import type { DirectChoice, NodeRegistration, NodeView, Transition } from '../registry/index.ts';
import type { Revision } from '../store/index.ts';

/** Said in the greeting; a side that does not speak it refuses with both numbers. */
export const PROTOCOL_VERSION = 1;

/** What a node says. `id` is answered by a `reply` of the same id. */
export type NodeMessage =
  | {
      readonly type: 'hello';
      readonly protocol: number;
      readonly node: string;
      /** Rises with every start of the agent: a message of an older epoch is refused. */
      readonly epoch: number;
      readonly registration: NodeRegistration;
      readonly choices: Readonly<Record<string, DirectChoice>>;
    }
  | { readonly type: 'report'; readonly id: number; readonly transitions: readonly Transition[] }
  | { readonly type: 'sync'; readonly id: number; readonly registration: NodeRegistration }
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
  | { readonly type: 'welcome'; readonly protocol: number; readonly server: string; readonly revision: Revision }
  /** The greeting is not accepted; the region closes after it. */
  | { readonly type: 'refused'; readonly code: string; readonly message: string }
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
  | { readonly type: 'provision'; readonly skipSettle: boolean }
  | { readonly type: 'listener'; readonly enabled: boolean };
