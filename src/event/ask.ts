/** What the HTTP API answered to one question. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: string;
  /** X-Consul-Index; empty where there is none. */
  readonly index: string;
  /** X-Drover-Revision: how far the server was; null where it does not say. */
  readonly revision: number | null;
}

/** Asks the HTTP API of an agent: a path with its query. Rejects when nobody answers and with the signal's reason. */
export type Ask = (path: string, signal: AbortSignal) => Promise<ApiAnswer>;
