import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { CODE } from './operation.ts';
import { ROW_COLUMNS, rowSum } from './row-sum.ts';
import type { Row } from './row-sum.ts';
import { Meta } from './store-file.ts';
import { Tape } from './tape.ts';
import type { Cell } from './tape.ts';

/**
 * The writing half, in its thread: runs batches of operations, each batch one durable commit, each operation that changes
 * something one revision. Revisions here are the engine's: without the base.
 */
export class Engine {
  readonly #meta: Meta;
  readonly #statements: Statements;
  #revision: number;

  constructor(db: DatabaseSync) {
    this.#meta = new Meta(db, 'write');
    this.#statements = prepare(db);
    this.#revision = this.#meta.get('revision');
  }

  get revision(): number {
    return this.#revision;
  }

  /**
   * Returns the outcomes once all is durable.
   *
   * @throws the engine's error: then the store must not be written again, for a failed sync cannot be repeated.
   */
  run(operations: readonly Cell[]): Cell[] {
    const { begin, commit } = this.#statements;
    const before = this.#revision;
    const outcomes: Cell[] = [];
    begin.run();
    for (const tape = new Tape(operations); !tape.ended;) this.#operate(tape, outcomes);
    if (this.#revision !== before) this.#meta.set('revision', this.#revision);
    commit.run();
    return outcomes;
  }

  #operate(tape: Tape, outcomes: Cell[]): void {
    const code = tape.number();
    if (code === CODE.grant) outcomes.push(Number(this.#statements.grant.run(tape.number()).lastInsertRowid));
    else if (code === CODE.revoke) this.#revoke(tape.number(), outcomes);
    else if (code === CODE.restore) this.#restore(tape, outcomes);
    else this.#transact(tape, outcomes);
  }

  #revoke(lease: number, outcomes: Cell[]): void {
    const keys = columns(this.#statements.leased.all(lease));
    for (const key of keys) this.#statements.remove.run(key);
    this.#statements.release.run(lease);
    if (keys.length > 0) this.#revision++;
    outcomes.push(this.#revision);
    pushKeys(outcomes, keys);
  }

  #restore(tape: Tape, outcomes: Cell[]): void {
    const [lowest, revision, count] = [tape.number(), tape.number(), tape.number()];
    const isAbove = lowest > this.#revision;
    if (isAbove) this.#statements.removeAll.run();
    for (let left = count; left > 0; left--) {
      const [key, value, created, mod] = [tape.text(), tape.text(), tape.number(), tape.number()];
      if (isAbove) this.#statements.insert.run(key, created, mod, null, rowSum(key, value, created, mod, null), value);
    }
    if (isAbove) this.#revision = revision;
    outcomes.push(Number(isAbove), this.#revision);
  }

  #transact(tape: Tape, outcomes: Cell[]): void {
    const compared: string[] = [];
    let holds = true;
    for (let left = tape.number(); left > 0; left--) {
      const key = tape.text();
      compared.push(key);
      if ((this.#find(key)?.mod ?? 0) !== tape.number()) holds = false;
    }
    for (let left = tape.number(); left > 0; left--)
      if (this.#statements.touched.get(tape.text(), tape.text(), tape.number()) !== undefined) holds = false;
    if (holds) this.#write(tape, outcomes);
    else {
      skipWrites(tape);
      this.#refuse(compared, outcomes);
    }
  }

  #write(tape: Tape, outcomes: Cell[]): void {
    const next = this.#revision + 1;
    const at = outcomes.push(1, next) - 1;
    let changed = false;
    for (let left = tape.number(); left > 0; left--) {
      const code = tape.number();
      if (code === CODE.put) outcomes.push(this.#put(tape.text(), tape.text(), tape.number(), next));
      else if (code === CODE.delete) outcomes.push(Number(this.#statements.remove.run(tape.text()).changes));
      else this.#removeRange(tape.text(), tape.text(), outcomes);
      // What a deletion pushed last is 0 when it found nothing.
      changed ||= code === CODE.put || outcomes[outcomes.length - 1] !== 0;
    }
    if (changed) this.#revision = next;
    else outcomes[at] = this.#revision;
  }

  #put(key: string, value: string, leaseId: number, mod: number): number {
    const lease = leaseId === 0 ? null : leaseId;
    const found = this.#find(key);
    const created = found?.created ?? mod;
    const sum = rowSum(key, value, created, mod, lease);
    if (found === undefined) this.#statements.insert.run(key, created, mod, lease, sum, value);
    else this.#statements.update.run(mod, lease, sum, value, found.id);
    return created;
  }

  #find(key: string): { readonly id: number; readonly created: number; readonly mod: number } | undefined {
    const found = this.#statements.find.get(key) as unknown as readonly [number, number, number] | undefined;
    return found === undefined ? undefined : { id: found[0], created: found[1], mod: found[2] };
  }

  #removeRange(start: string, end: string, outcomes: Cell[]): void {
    const keys = columns(this.#statements.keys.all(start, end));
    this.#statements.removeRange.run(start, end);
    pushKeys(outcomes, keys);
  }

  #refuse(compared: readonly string[], outcomes: Cell[]): void {
    const rows = compared
      .map((key) => this.#statements.row.get(key) as unknown as Row | undefined)
      .filter((row) => row !== undefined);
    outcomes.push(0, this.#revision, rows.length);
    for (const [key, created, mod, , , value] of rows) outcomes.push(key, value, created, mod);
  }
}

function skipWrites(tape: Tape): void {
  for (let left = tape.number(); left > 0; left--) {
    const code = tape.number();
    tape.text();
    if (code !== CODE.delete) tape.text();
    if (code === CODE.put) tape.number();
  }
}

// One by one: a range can hold more keys than a call takes arguments.
function pushKeys(outcomes: Cell[], keys: readonly string[]): void {
  outcomes.push(keys.length);
  for (const key of keys) outcomes.push(key);
}

function columns(rows: readonly unknown[]): string[] {
  return (rows as readonly (readonly [string])[]).map(([first]) => first);
}

type Statements = Readonly<Record<keyof typeof SQL, StatementSync>>;

const SQL = {
  begin: 'begin immediate',
  commit: 'commit',
  find: 'select id, created, mod from kv where k = ?',
  touched: 'select 1 from kv where k >= ? and k < ? and mod > ? limit 1',
  row: `select ${ROW_COLUMNS} from kv where k = ?`,
  keys: 'select k from kv where k >= ? and k < ? order by k',
  leased: 'select k from kv where lease = ? order by k',
  insert: `insert into kv(${ROW_COLUMNS}) values(?, ?, ?, ?, ?, ?)`,
  update: 'update kv set mod = ?, lease = ?, sum = ?, v = ? where id = ?',
  remove: 'delete from kv where k = ?',
  removeRange: 'delete from kv where k >= ? and k < ?',
  removeAll: 'delete from kv',
  grant: 'insert into lease(ttl_ms) values(?)',
  release: 'delete from lease where id = ?',
} as const;

function prepare(db: DatabaseSync): Statements {
  const entries = Object.entries(SQL).map(([name, sql]) => {
    const statement = db.prepare(sql);
    statement.setReturnArrays(true);
    return [name, statement];
  });
  return Object.fromEntries(entries) as Statements;
}
