import { DatabaseSync } from 'node:sqlite';
import type { StatementSync } from 'node:sqlite';
import type { Entry, KeyRange, ReadOptions, Revision } from '../contract.ts';
import { rangesWithout } from '../contract.ts';
import { storeClosed } from '../errors.ts';
import { damagedKey, ROW_COLUMNS } from './row-sum.ts';
import type { Row } from './row-sum.ts';
import { Meta } from './store-file.ts';

/** After so many rows a long read lets others have the loop. */
const PAGE_ROWS = 2_000;
/** Connections kept for the next reads; more are opened only while more long reads are under way. */
const KEPT = 2;

/**
 * Reads of the main thread on read-only connections of its own, so that they never wait for the writer. Each sees one
 * snapshot, which holds only what is durable, for SQLite shows a commit to others after its sync.
 */
export class Reader {
  readonly #file: string;
  readonly #base: Revision;
  readonly #kept: Connection[] = [];
  readonly #active = new Set<Promise<unknown>>();
  #closed = false;

  constructor(file: string, base: Revision) {
    this.#file = file;
    this.#base = base;
    this.#kept.push(new Connection(file));
  }

  /** @throws Error when a row is damaged, STORE_CLOSED when closed meanwhile. */
  read(range: KeyRange, options: ReadOptions): Promise<{ entries: Entry[]; revision: Revision }> {
    const reading = this.#read(range, options);
    this.#active.add(reading);
    const forget = (): void => void this.#active.delete(reading);
    reading.then(forget, forget);
    return reading;
  }

  async #read(range: KeyRange, options: ReadOptions): Promise<{ entries: Entry[]; revision: Revision }> {
    const connection = this.#kept.pop() ?? new Connection(this.#file);
    try {
      connection.begin.run();
      const revision = connection.meta.get('revision') + this.#base;
      const entries: Entry[] = [];
      for (const row of connection.rows(range, options)) {
        entries.push(this.#entryOf(row, options));
        if (entries.length % PAGE_ROWS === 0) await this.#pause();
      }
      return { entries, revision };
    } finally {
      this.#release(connection);
    }
  }

  #entryOf(row: Row, options: ReadOptions): Entry {
    const [key, created, mod, , , value] = row;
    if (options.keysOnly !== true && damagedKey(row) !== undefined) throw new DamagedRow(key);
    return { key, value, createRevision: created + this.#base, modRevision: mod + this.#base };
  }

  async #pause(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#closed) throw storeClosed();
  }

  #release(connection: Connection): void {
    if (connection.db.isTransaction) connection.commit.run();
    if (this.#closed || this.#kept.length >= KEPT) connection.db.close();
    else this.#kept.push(connection);
  }

  /** Ends the reads that are under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#active);
    for (const connection of this.#kept.splice(0)) connection.db.close();
  }
}

/** A row whose checksum does not match. */
export class DamagedRow extends Error {
  constructor(key: string) {
    super(`store.db is damaged: the row of key ${JSON.stringify(key.slice(0, 80))} is not what was written`);
  }
}

class Connection {
  readonly db: DatabaseSync;
  readonly begin: StatementSync;
  readonly commit: StatementSync;
  readonly meta: Meta;
  readonly #rows: StatementSync;
  readonly #keys: StatementSync;

  constructor(file: string) {
    this.db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
    this.begin = this.db.prepare('begin');
    this.commit = this.db.prepare('commit');
    this.meta = new Meta(this.db, 'read');
    const from = 'from kv where k >= ? and k < ? order by k limit ?';
    this.#rows = this.db.prepare(`select ${ROW_COLUMNS} ${from}`);
    this.#keys = this.db.prepare(`select k, created, mod, null, 0, '' ${from}`);
    for (const statement of [this.#rows, this.#keys]) statement.setReturnArrays(true);
  }

  *rows(range: KeyRange, options: ReadOptions): Generator<Row, void> {
    const statement = options.keysOnly === true ? this.#keys : this.#rows;
    let left = options.limit ?? Infinity;
    for (const { start, end } of rangesWithout(range, options.except)) {
      if (left <= 0) return;
      // SQLite takes a negative limit for none.
      const limit = left === Infinity ? -1 : left;
      for (const row of statement.iterate(start, end, limit) as Iterable<unknown> as Iterable<Row>) {
        left--;
        yield row;
      }
    }
  }
}
