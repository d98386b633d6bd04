import { KeyedQueue, type Clock } from '../lib/index.ts';
import {
  historyPut,
  type Committed,
  type Compare,
  type Conflict,
  type Revision,
  type Txn,
  type Write,
} from '../store/index.ts';
import type { AclState } from './acl-state.ts';
import { contended } from './errors.ts';
import { aclKey, aclTopic } from './records.ts';

/** What writes need of the reader of the store. */
export interface AclFeed {
  readonly revision: Revision;
  commit(txn: Txn): Promise<Committed | Conflict>;
  applied(revision: Revision): Promise<void>;
}

/** One thing that is put or deleted, with what it was before. */
export interface AclChange {
  /** `pol/<id>`, `role/<id>`, `tok/<accessor>`: what history calls it. */
  readonly subject: string;
  readonly writes: readonly Write[];
  /** Without any secret; null when it was not there. */
  readonly before: { readonly record: unknown; readonly modRevision: Revision } | null;
}

/** What a write decides for the present state; no changes = it is so already. */
export interface AclDecision<Value> {
  readonly changes: readonly AclChange[];
  readonly value: Value;
  /** What has to hold besides, such as that a duty is still this server's. */
  readonly compares?: readonly Compare[];
}

export interface AclTransactionsOptions {
  readonly feed: AclFeed;
  readonly state: AclState;
  readonly clock: Clock;
}

const ATTEMPTS = 16;
const TURN = 'acl';

/**
 * Writes access control, one change after the other, also where several servers write: each compares and puts the same
 * key, so that what was decided on still stands. Each change leaves its history in the same transaction.
 */
export class AclTransactions {
  readonly #feed: AclFeed;
  readonly #state: AclState;
  readonly #clock: Clock;
  readonly #queue = new KeyedQueue();

  constructor({ feed, state, clock }: AclTransactionsOptions) {
    this.#feed = feed;
    this.#state = state;
    this.#clock = clock;
  }

  /** Resolves with the revision at which it stands here. @throws what `decide` throws, ACCESS_CONTENDED */
  run<Value>(author: string, decide: () => AclDecision<Value>): Promise<{ value: Value; revision: Revision }> {
    return this.#queue.run(TURN, async () => {
      for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        const { changes, value, compares = [] } = decide();
        if (changes.length === 0) return { value, revision: this.#feed.revision };
        const outcome = await this.#feed.commit(this.#txnOf(changes, author, compares));
        if (outcome.ok) return { value, revision: outcome.revision };
        await this.#feed.applied(outcome.revision);
      }
      throw contended(ATTEMPTS);
    });
  }

  #txnOf(changes: readonly AclChange[], author: string, compares: readonly Compare[]): Txn {
    const at = new Date(this.#clock.wall()).toISOString();
    const history = changes.map(({ subject, before }) =>
      historyPut(
        {
          kind: 'acl',
          subject,
          author,
          at,
          before: before === null ? null : JSON.stringify(before.record),
          beforeRevision: before?.modRevision ?? 0,
        },
        this.#feed.revision,
      ),
    );
    return {
      compares: [...compares, { key: aclKey.turn, modRevision: this.#state.revisionOf(aclKey.turn) }],
      writes: [
        { type: 'put', key: aclKey.turn, value: '{}' },
        ...new Map(changes.flatMap(({ writes }) => writes).map((write) => [keyOf(write), write])).values(),
        ...history,
      ],
    };
  }
}

/** The tombstone of a kind, which goes with each deletion (store.md 3.1). */
export function aclTombstone(kind: keyof typeof aclTopic): Write {
  return { type: 'put', key: `tomb/${aclTopic[kind]}`, value: '{}' };
}

function keyOf(write: Write): string {
  return write.type === 'delete-range' ? write.range.start : write.key;
}
