/** A place that listens. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/** `host:port`. */
export function written({ host, port }: Place): string {
  return `${host}:${port}`;
}

/** Where one party of a cluster stands. */
export interface Site {
  /** The party's name. */
  readonly name: string;
  /** What it listens on. */
  readonly address: string;
  /** What the others call it by. */
  readonly outerAddress: string;
  /** Words before those of a program that is started there. */
  readonly prefix: readonly string[];
}

/** Where a party listens, and where others reach that: the same port at its outer address. */
export interface Entrance {
  readonly listen: Place;
  readonly reached: Place;
}

/** Where the parties of a cluster stand, and what lies between them and can be cut. */
export interface Ground extends AsyncDisposable {
  /** A place for one more party. */
  site(party: string): Promise<Site>;
  /** One more port of a party; the wanted one where it has a network of its own. */
  entrance(site: Site, wantedPort: number): Promise<Entrance>;
  /** What this process does is done by a party. */
  begun(party: string, pid: number): void;
  /** Loses everything between a party and another one, or all others; nothing is closed or refused. @throws where nothing can be cut */
  cut(party: string, other?: string): Promise<void>;
  /** Takes back what `cut` did with the same names. */
  heal(party: string, other?: string): Promise<void>;
  /** Takes back everything. */
  healAll(): Promise<void>;
}
