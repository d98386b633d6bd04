import { KeyedQueue, systemClock } from '../lib/index.ts';
import type { Clock } from '../lib/index.ts';
import { contended, NodeDrafts } from '../registry/index.ts';
import type { Catalog, Feed } from '../registry/index.ts';
import { MAX_TXN_OPS } from '../store/index.ts';
import type { Authored, Txn, Write } from '../store/index.ts';
import { txnTooLarge } from './errors.ts';
import { evaluateTxn } from './evaluate-txn.ts';
import type { Evaluated, TxnDraft } from './evaluate-txn.ts';
import { KvDraft } from './kv-draft.ts';
import type { Kv } from './kv.ts';
import type { Sessions } from './sessions.ts';
import { isRead } from './txn-op.ts';
import type { TxnOp, TxnOutcome } from './txn-op.ts';

/** So often a transaction is tried beside others; then one waits for the other. */
const SIDE_BY_SIDE = 3;
const ATTEMPTS = 64;

export interface TransactionsOptions {
  readonly feed: Feed;
  readonly kv: Kv;
  readonly sessions: Sessions;
  readonly catalog: Pick<Catalog, 'nodeState' | 'region'>;
  readonly clock?: Clock;
  /** Whether changes leave records of history; they do unless told. */
  readonly history?: boolean;
  /** As of `KvWrites`. */
  readonly lags?: boolean;
  /** As of `SessionWrites`. */
  readonly withSession?: (sessionId: string) => readonly Write[];
}

/** Consul's transactions over keys, nodes, services, checks and sessions: all of one happens at one revision, or nothing does. */
export class Transactions {
  readonly #options: TransactionsOptions;
  readonly #feed: Feed;
  readonly #clock: Clock;
  readonly #queue = new KeyedQueue();

  constructor(options: TransactionsOptions) {
    this.#options = options;
    this.#feed = options.feed;
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * Runs the operations in their order; resolves when this server has applied them. One that only reads is answered from
   * memory, at one revision.
   *
   * @throws KV_TXN_TOO_LARGE for one that the store cannot write at once, REGISTRY_CONTENDED
   */
  async run(ops: readonly TxnOp[], authored: Authored = {}): Promise<TxnOutcome> {
    if (ops.every(isRead)) return this.read(ops);
    for (let attempt = 1; attempt <= SIDE_BY_SIDE; attempt++) {
      const outcome = await this.#attempt(ops, authored);
      if (outcome !== undefined) return outcome;
    }
    return this.#queue.run('', async () => {
      for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        const outcome = await this.#attempt(ops, authored);
        if (outcome !== undefined) return outcome;
      }
      throw contended('the keys of a transaction', ATTEMPTS);
    });
  }

  /** What operations that only read give now. */
  read(ops: readonly TxnOp[]): TxnOutcome {
    const { results, problems } = evaluateTxn(this.#draft(), ops);
    return problems.length > 0 ? { ok: false, problems } : { ok: true, revision: this.#feed.revision, results };
  }

  /** Undefined when somebody else changed what it relies on; then this server has applied that. */
  async #attempt(ops: readonly TxnOp[], authored: Authored): Promise<TxnOutcome | undefined> {
    const draft = this.#draft();
    const { revision } = this.#feed;
    const evaluated: Evaluated = evaluateTxn(draft, ops);
    const { results, problems } = evaluated;
    const { lags = false } = this.#options;
    if (problems.length > 0 && !lags) return { ok: false, problems };
    const txn = this.#txnOf(draft, ops, authored);
    if (txn.writes.length === 0 && !lags) return { ok: true, revision, results };
    // What is refused, and what is so already, is so only where nobody else has changed what was read.
    const outcome = await this.#feed.commit(problems.length > 0 ? { ...txn, writes: [] } : txn);
    if (outcome.ok && problems.length > 0) return { ok: false, problems };
    if (outcome.ok) return { ok: true, revision: outcome.revision, results };
    await this.#feed.applied(outcome.revision);
    return undefined;
  }

  #draft(): TxnDraft {
    const { kv, sessions, catalog } = this.#options;
    const { revision } = this.#feed;
    return { kv: new KvDraft({ kv, sessions, revision }), nodes: new NodeDrafts(catalog, revision) };
  }

  #txnOf({ kv, nodes }: TxnDraft, ops: readonly TxnOp[], { author = 'unknown' }: Authored): Txn {
    const isKept = this.#options.history ?? true;
    const history = isKept ? { author, at: new Date(this.#clock.wall()).toISOString() } : undefined;
    const ofKv = kv.toTxn(history);
    const ofNodes = nodes.toTxn();
    const unchanged = [...(ofKv.unchanged ?? []), ...(ofNodes.unchanged ?? [])];
    const compares = [...ofKv.compares, ...ofNodes.compares];
    const writes = [...ofKv.writes, ...ofNodes.writes, ...this.#withSessions(ops)];
    const size = Math.max(writes.length, compares.length + unchanged.length);
    if (size > MAX_TXN_OPS) throw txnTooLarge(size, MAX_TXN_OPS);
    return { compares, unchanged, writes };
  }

  /** What several have in common, such as a tombstone, is written once. */
  #withSessions(ops: readonly TxnOp[]): Write[] {
    const ids = new Set(ops.flatMap((op) => (op.type === 'session' ? [op.id] : [])));
    const writes = [...ids].flatMap((id) => this.#options.withSession?.(id) ?? []);
    return [...new Map(writes.map((write) => [JSON.stringify(write), write])).values()];
  }
}
