import type { NodeRegistration } from '../registry/index.ts';
import type { RegionMessage } from './messages.ts';
import { RecordDigests, type RegistrationDigests } from './registration-digest.ts';
import { RegistrationMatch, type GivenRecords } from './registration-match.ts';

export interface LinkSyncsOptions {
  /** What the region holds of the node now; null: nothing. */
  readonly held: () => NodeRegistration | null;
  readonly send: (message: RegionMessage) => void;
}

interface Pending {
  readonly match: RegistrationMatch;
  readonly take: (registration: NodeRegistration) => void;
}

/** So many comparisons of one link wait for records at once; the oldest one is forgotten for one more, and asked for again. */
const MOST_PENDING = 4;

/**
 * The region's half of the comparisons of one link: what is the same is not sent again. Digests are computed for each: kept, those of
 * 400,000 records would be a tenth of a server's memory.
 */
export class LinkSyncs {
  readonly #options: LinkSyncsOptions;
  readonly #pending = new Map<number, Pending>();

  constructor(options: LinkSyncsOptions) {
    this.#options = options;
  }

  /** What the region holds, when that comes to the very digest that the node said; null when it does not. */
  same(digest: string): NodeRegistration | null {
    const held = this.#options.held();
    return held !== null && new RecordDigests().total(held) === digest ? held : null;
  }

  /** Compares record by record; `take` gets the whole registration as soon as what differs has been sent. */
  compare(
    id: number,
    record: NodeRegistration['node'],
    said: RegistrationDigests,
    take: (registration: NodeRegistration) => void,
  ): void {
    const { held, send } = this.#options;
    const match = new RegistrationMatch(record, said, held(), new RecordDigests());
    if (match.isWhole) return take(match.complete());
    const [oldest] = this.#pending.keys();
    if (this.#pending.size >= MOST_PENDING && oldest !== undefined) this.#pending.delete(oldest);
    this.#pending.set(id, { match, take });
    send({ type: 'want', id, ...match.wanted });
  }

  /** Takes records that were wanted. Those that nobody wanted are dropped. */
  given(id: number, records: GivenRecords): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.take(pending.match.complete(records));
  }
}
