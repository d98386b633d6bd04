/**
 * What one end of a link asks the other, by kind: `ask` is sent, `answer` comes back. Plain serialisable data; bytes are base64.
 * Features add their kinds here, and their handlers where they are composed.
 */
export interface RegionQuestions {
  /** A node's DNS hands on what it cannot answer from what it was told: a whole DNS message, and who asks. */
  readonly dns: {
    readonly ask: { readonly packet: string; readonly transport: 'udp' | 'tcp'; readonly client: string };
    /** null: no answer is given. `topics` and `revision` say what it follows from, for whoever keeps it. */
    readonly answer: {
      readonly packet: string | null;
      readonly topics: readonly string[];
      readonly revision: number;
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
      readonly run: string;
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
