/** The servers of the region, as an agent without one of its own knows them. */
export interface RegionServers {
  /** The one that the agent is linked to; null while it is cut off. */
  readonly current: ServerPlace | null;
  /** All that are known. */
  readonly candidates: readonly ServerPlace[];
  /** Told when one of these became another; the answer ends it. */
  onChange(listen: () => void): () => void;
}

/** Where a server answers HTTP: `http://10.0.0.1:8500`. */
export interface ServerPlace {
  readonly url: string;
  /** null until it has shown, over a link, that it is a server. */
  readonly name: string | null;
}

/** How an agent stands with its region. */
export interface LinkStanding {
  /** Name of the server it is linked to; null while it is cut off, or before the server said it. */
  readonly server: string | null;
  /** Where that server answers; null while it is cut off. */
  readonly url: string | null;
  /** Since when it is linked to that server, or cut off: RFC 3339. */
  readonly since: string;
  /** Since when it is cut off; null while it is linked. */
  readonly cutOffSince: string | null;
  /** Servers that it knows. */
  readonly known: number;
  /** Monotonic ms since a server was heard of; 0 while it is linked. */
  readonly lastContactMs: number;
}
