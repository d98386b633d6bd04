import type { Failure } from './failure.ts';
import type { Refusal } from './store-file.ts';
import type { Cell } from './tape.ts';

/** `workerData` of the writer's thread. */
export interface WriterSetup {
  readonly file: string;
  /** The base is raised to at least this. */
  readonly base: number;
  /** The file's size in bytes is kept below this; undefined: the disk's. */
  readonly quotaBytes: number | undefined;
}

/** To the writer: a batch of operations, or null to end. Batches come one at a time. */
export type ToWriter = readonly Cell[] | null;

/** From the writer: first `ready` or `refused`, then one answer for each batch. After `failed` every answer is that. */
export type FromWriter =
  | ({ readonly type: 'ready' } & WriterState)
  | { readonly type: 'refused'; readonly refusal: Refusal }
  | { readonly type: 'done'; readonly outcomes: readonly Cell[] }
  | { readonly type: 'failed'; readonly failure: Failure };

/** What a store begins with. */
export interface WriterState {
  readonly base: number;
  /** The engine's, without the base. */
  readonly revision: number;
  /** Leases of the last run: their keys live for one full TTL more. */
  readonly leases: readonly (readonly [id: number, ttlMs: number])[];
  /** Of SQLite. */
  readonly version: string;
}
