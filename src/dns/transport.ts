import type { Answer, Peer, Via } from './responder.ts';

/** What a transport asks for each query: the answer's octets, now or later, or null to stay silent. Must not throw. */
export type AnswerQuery = (query: Uint8Array, via: Via, peer: Peer) => Answer;

/** Carries queries in and answers out. Others can stand beside the two that are here, as long as a query that arrives after
 * a change was applied is answered from it. */
export interface Transport extends AsyncDisposable {
  /** The port that it holds, also where 0 was asked for. */
  readonly port: number;
}

/** Where to listen; `port` 0 takes any that is free. */
export interface TransportOptions {
  readonly answer: AnswerQuery;
  readonly address: string;
  readonly port: number;
}
