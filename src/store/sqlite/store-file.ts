import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { StatementSync } from 'node:sqlite';
import { failureOf } from './failure.ts';
import { metaSum } from './row-sum.ts';

/** The layout of the tables below, kept in `user_version`. */
export const LAYOUT = 1;

/** `drvr`: marks the file as drover's. */
const APPLICATION_ID = 0x64727672;

/**
 * A table beside its index, not one clustered by key (`without rowid`): that would read faster, but its inner pages hold whole
 * rows, which makes them many and each write dearer (docs/decisions/010-embedded-store-sqlite.md).
 */
const SCHEMA = `
  create table kv(id integer primary key, k text not null unique, created integer not null, mod integer not null,
    lease integer, sum integer not null, v text not null) strict;
  create index kv_lease on kv(lease) where lease is not null;
  create table lease(id integer primary key autoincrement, ttl_ms real not null) strict;
  create table meta(name text primary key, value integer not null, sum integer not null) strict, without rowid;
  insert into meta values('base', 0, ${metaSum('base', 0)}), ('revision', 0, ${metaSum('revision', 0)});
`;

/** Why a file is not opened; plain, so that threads can hand it over. */
export type Refusal =
  | { readonly kind: 'newer-layout'; readonly found: number }
  | { readonly kind: 'unusable'; readonly why: string };

/** Thrown when a file is not opened. */
export class Refused extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.kind === 'unusable' ? refusal.why : `layout ${refusal.found}`);
    this.refusal = refusal;
  }
}

/**
 * Opens the store for writing, created when it is not there, checked from end to end when it is.
 *
 * @throws Refused
 */
export function openStoreFile(file: string): DatabaseSync {
  if (!existsSync(file)) createStoreFile(file);
  if (statSync(file).size === 0) throw unusable('store.db is empty, so its content is lost');
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file, { timeout: 5_000 });
    checkLayout(db);
    checkIntegrity(db);
    db.exec(
      'pragma journal_mode=WAL; pragma synchronous=FULL; pragma cache_size=-65536; pragma wal_autocheckpoint=16384',
    );
    return db;
  } catch (error) {
    db?.close();
    if (error instanceof Refused) throw error;
    throw unusable(failureOf(error).why);
  }
}

/** Complete or absent: a store that was only begun when the process died is begun anew. */
function createStoreFile(file: string): void {
  if (existsSync(`${file}-wal`)) throw unusable('store.db is missing though its write-ahead log is there');
  const begun = `${file}.new`;
  for (const old of [begun, `${begun}-journal`]) rmSync(old, { force: true });
  closeSync(openSync(begun, 'wx', 0o600));
  const db = new DatabaseSync(begun);
  try {
    db.exec(`pragma synchronous=FULL; pragma application_id=${APPLICATION_ID}; pragma user_version=${LAYOUT}; begin;`);
    db.exec(`${SCHEMA}; commit`);
  } finally {
    db.close();
  }
  renameSync(begun, file);
  syncDirectory(path.dirname(file));
}

function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function checkLayout(db: DatabaseSync): void {
  const application = pragma(db, 'application_id');
  if (application !== APPLICATION_ID) throw unusable('store.db is not a store of drover');
  const layout = Number(pragma(db, 'user_version'));
  if (layout > LAYOUT) throw new Refused({ kind: 'newer-layout', found: layout });
  if (layout !== LAYOUT) throw unusable(`store.db is damaged: it has layout ${layout}`);
}

function checkIntegrity(db: DatabaseSync): void {
  const found = String(pragma(db, 'integrity_check(1)'));
  if (found !== 'ok') throw unusable(`store.db is damaged: ${found.replaceAll('\n', ' ')}`);
}

function pragma(db: DatabaseSync, name: string): unknown {
  return Object.values(db.prepare(`pragma ${name}`).get() ?? {})[0];
}

function unusable(why: string): Refused {
  return new Refused({ kind: 'unusable', why });
}

/** The numbers beside the entries: `base` and `revision`. The revision has its row, for the highest entry may be deleted. */
export class Meta {
  readonly #select: StatementSync;
  readonly #update: StatementSync;

  constructor(db: DatabaseSync, access: 'read' | 'write') {
    this.#select = db.prepare('select value, sum from meta where name = ?');
    this.#select.setReturnArrays(true);
    const update = 'update meta set value = ?, sum = ? where name = ?';
    this.#update = access === 'write' ? db.prepare(update) : this.#select;
  }

  /** @throws Refused when the number is not what was written. */
  get(name: 'base' | 'revision'): number {
    const row = this.#select.get(name) as unknown as readonly [number, number] | undefined;
    if (row === undefined || metaSum(name, row[0]) !== row[1])
      throw unusable(`store.db is damaged: its ${name} is wrong`);
    return row[0];
  }

  set(name: 'base' | 'revision', value: number): void {
    this.#update.run(value, metaSum(name, value), name);
  }
}
