import type { Owner } from '../lib/index.ts';

/** What an operator can set about HTTP: Consul's `http_config`, `limits` and the like. */
export interface HttpSettings {
  /** Headers of every response. */
  readonly responseHeaders: Readonly<Record<string, string>>;
  /** Paths that begin so are answered with 403. */
  readonly blockEndpoints: readonly string[];
  /** Networks (CIDR, or single addresses) from which `/v1/agent/` may change something; empty: any. */
  readonly writeFrom: readonly string[];
  /** Paths may hold characters that cannot be printed. */
  readonly takesUnprintable: boolean;
  /** Connections of one address at most; 0: no limit. */
  readonly connectionsPerClient: number;
  /** Bytes of a KV value at most. */
  readonly valueBytes: number;
  /** Bytes of a transaction at most. */
  readonly txnBytes: number;
  /** Whether metrics are also given in the form of Prometheus. */
  readonly prometheus: boolean;
}

const VALUE_BYTES = 512 * 1024;

/** Consul's defaults, but for the connections of one address: on a node's loopback all clients share one. */
export const HTTP_SETTINGS: HttpSettings = Object.freeze({
  responseHeaders: {},
  blockEndpoints: [],
  writeFrom: [],
  takesUnprintable: false,
  connectionsPerClient: 0,
  valueBytes: VALUE_BYTES,
  txnBytes: VALUE_BYTES,
  prometheus: false,
});

/** A Unix socket that answers HTTP. */
export interface UnixSocket {
  readonly path: string;
  readonly mode: number;
  /** null = the agent's own. */
  readonly owner: Owner | null;
}
