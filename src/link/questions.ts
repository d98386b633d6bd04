/**
 * What one end of a link asks the other, by kind: `ask` is sent, `answer` comes back. Plain serialisable data; bytes are base64.
 * Features add their kinds here, and their handlers where they are composed.
 */
export interface RegionQuestions {
  /** A node's DNS hands on what it cannot answer from what it was told: a whole DNS message, and who asks. */
  readonly dns: {
    readonly ask: {
      readonly packet: string;
      readonly transport: 'udp' | 'tcp';
      /** Octets of the longest answer; null: what the transport carries. */
      readonly maxBytes: number | null;
      readonly client: string;
    };
    /**
     * `packet` null: no answer is given. `shared` is what the answer is made of, for whoever keeps it, and null where it must not
     * be; it stands until the server says of one of `topics` that it is stale, and without topics while no server can be asked.
     */
    readonly answer: {
      readonly packet: string | null;
      readonly shared: { readonly answers: readonly unknown[]; readonly topics: readonly string[] } | null;
    };
  };
  /** What a token may, so that an agent decides about its own endpoints also while it is cut off. */
  readonly access: {
    readonly ask: { readonly secret: string };
    /** null: there is no such token. */
    readonly answer: { readonly rules: unknown; readonly accessor: string; readonly ttlMs: number } | null;
  };
  /** A place among those of its group that may provision at once (P14); asked again until it is given, and given back by `release`. */
  readonly slot: {
    readonly ask: {
      readonly action: 'take' | 'keep' | 'release';
      readonly group: string;
      /** `5` or `10%`. */
      readonly most: string;
      /** How long a run may take; null: for ever. */
      readonly limitMs: number | null;
    };
    readonly answer: { readonly granted: boolean; readonly ahead: number; readonly holders: readonly string[] };
  };
}

/** What the region asks a node. */
export interface NodeQuestions {
  /** Whether something accepts TCP connections there: evidence about a node that is suspected. */
  readonly probe: {
    readonly ask: {
      readonly targets: readonly { readonly address: string; readonly port: number }[];
      readonly timeoutMs: number;
    };
    /** In the order of the targets; `refuses`: the machine answers, and nothing listens there. */
    readonly answer: { readonly found: readonly ('accepts' | 'refuses' | 'silent')[] };
  };
  /** Says that what the node's DNS keeps of these topics is not so any more; answered when that is dropped. `*`: of all. */
  readonly stale: { readonly ask: { readonly topics: readonly string[] }; readonly answer: Record<string, never> };
  /** What became of provisions that were ordered: the listener's status, as the API shows it. */
  readonly listener: { readonly ask: Record<string, never>; readonly answer: { readonly status: unknown } };
}

export type QuestionKind<Questions> = keyof Questions & string;
export type Ask<Questions, Kind extends keyof Questions> = Questions[Kind] extends { readonly ask: infer A }
  ? A
  : never;
export type Answer<Questions, Kind extends keyof Questions> = Questions[Kind] extends { readonly answer: infer A }
  ? A
  : never;
