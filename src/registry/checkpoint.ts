import { open, readdir, rename, rm, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { ensureDirectory, messageOf, type Clock, type Timer } from '../lib/index.ts';
import { historyRange, inRange, prefixRange } from '../store/index.ts';
import type { Batch, Revision, Store, StoreEvent } from '../store/index.ts';
import { entriesFrame, footFrame, headFrame, logFrame, readCheckpoint } from './checkpoint-content.ts';
import type { CheckpointState } from './checkpoint-content.ts';
import { frameOf } from './checkpoint-frames.ts';

export interface CheckpointOptions {
  /** Made with mode 0700 where it is absent. */
  readonly directory: string;
  readonly store: Pick<Store, 'read' | 'status'>;
  /** What the store is known by: a mirror of another one is not used. */
  readonly storeName: string;
  readonly clock: Clock;
  /** Told of what could not be written; it is tried again. */
  readonly report: (error: unknown) => void;
  /** A log is replaced by a new base when it is larger than that and than its base; 16 MiB unless told. */
  readonly leastLogBytes?: number;
  /** Keys read at once for a base; 2,000 unless told. */
  readonly pageKeys?: number;
}

const FLUSH_MS = 1_000;
/** So often the time of the last contact is written, where nothing else is. */
const CONTACT_MS = 5_000;
const RETRY_MS = 60_000;
const LEAST_LOG_BYTES = 16 * 1024 * 1024;
const PAGE_KEYS = 2_000;
/** A member of etcd that is behind answers with an older page: it is asked again. */
const BEHIND_MS = 200;

/** A log that is written, beside the base of the same number. */
interface Log {
  readonly number: number;
  readonly handle: FileHandle;
  bytes: number;
}

/**
 * A mirror on disk of what a server has read of the store: a base, and every batch since. A server that starts while the store is away
 * serves it, stale. Nothing is synced: what a power cut takes is read from the store again; a write that was cut off is noticed.
 */
export class Checkpoint implements AsyncDisposable {
  readonly #options: CheckpointOptions;
  readonly #closing = new AbortController();
  #pending: Batch[] = [];
  #logs: Log[] = [];
  #baseBytes = 0;
  #number = 0;
  #contactAtMs = 0;
  /** Of what the base is. */
  #identity: string | undefined;
  #timer: Timer | undefined;
  #flushing: Promise<void> = Promise.resolve();
  #basing: Promise<void> | null = null;

  /** @throws the system's error when the directory cannot be made */
  static async open(options: CheckpointOptions): Promise<Checkpoint> {
    await ensureDirectory(options.directory);
    return new Checkpoint(options);
  }

  private constructor(options: CheckpointOptions) {
    this.#options = options;
  }

  /** What is there of the store; null for nothing that could be used. */
  static async read({
    directory,
    storeName,
  }: Pick<CheckpointOptions, 'directory' | 'storeName'>): Promise<CheckpointState | null> {
    for (const number of (await basesIn(directory)).toSorted((a, b) => b - a)) {
      const state = await readCheckpoint(baseFile(directory, number), logFile(directory, number), storeName).catch(
        () => null,
      );
      if (state !== null) return state;
    }
    return null;
  }

  /** Takes away what is there: it is of a store that is not any more. */
  static async drop(directory: string): Promise<void> {
    for (const number of await basesIn(directory))
      for (const file of [baseFile(directory, number), logFile(directory, number)]) await rm(file, { force: true });
  }

  /** Begins to mirror the store: from here on every batch is to be appended. `revision` is the last that was applied before. */
  begin(revision: Revision): void {
    if (this.#closing.signal.aborted || this.#basing !== null) return;
    this.#basing = this.#rebase(revision).finally(() => {
      this.#basing = null;
    });
    this.#schedule();
  }

  /** Notes a batch; it is on disk a second later. */
  append(batch: Batch): void {
    if (this.#basing === null && this.#logs.length === 0) return;
    const events = batch.events.filter(isMirrored);
    this.#pending.push(events.length === batch.events.length ? batch : { ...batch, events });
  }

  /** Writes what was appended. */
  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#flush());
    return this.#flushing;
  }

  /** Resolves when no base is being written. */
  async settled(): Promise<void> {
    await this.#basing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#timer?.cancel();
    await this.#basing;
    await this.flush();
    for (const { handle } of this.#logs.splice(0)) await handle.close();
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#closing.signal.aborted) return;
    this.#timer = this.#options.clock.after(FLUSH_MS, () => {
      void this.flush().then(() => {
        this.#timer = undefined;
        this.#schedule();
      });
    });
  }

  /** Never rejects: a mirror that cannot be written is given up, and made anew later. */
  async #flush(): Promise<void> {
    const { clock, store, leastLogBytes = LEAST_LOG_BYTES } = this.#options;
    // What comes while a log is being opened waits for it.
    if (this.#logs.length === 0) return;
    const batches = this.#pending.splice(0);
    const status = store.status();
    const isContact = status.leaderKnown && clock.now() - this.#contactAtMs >= CONTACT_MS;
    if (batches.length === 0 && !isContact) return;
    this.#contactAtMs = clock.now();
    const frame = frameOf(logFrame(clock.wall() - status.lastContactMs, batches));
    try {
      for (const log of this.#logs) {
        await log.handle.appendFile(frame);
        log.bytes += frame.length;
      }
    } catch (error) {
      return this.#giveUp(error);
    }
    const [log] = this.#logs;
    const isLarge = log !== undefined && log.bytes > Math.max(leastLogBytes, this.#baseBytes);
    const isOther = status.leaderKnown && status.identity !== this.#identity;
    if ((isLarge || isOther) && this.#basing === null) this.begin(batches.at(-1)?.revision ?? 0);
  }

  async #giveUp(error: unknown): Promise<void> {
    const { clock, report } = this.#options;
    report(new Error(`the checkpoint cannot be written: ${messageOf(error)}`, { cause: error }));
    for (const { handle } of this.#logs.splice(0)) await handle.close().catch(() => undefined);
    clock.after(RETRY_MS, () => this.begin(this.#options.store.status().revision));
  }

  /** Writes a new base beside what is there, and what is appended meanwhile into its log; then the old one goes. Never rejects. */
  async #rebase(revision: Revision): Promise<void> {
    const { directory } = this.#options;
    try {
      const number = (this.#number = Math.max(this.#number, ...(await basesIn(directory)), 0) + 1);
      await rm(logFile(directory, number), { force: true });
      const log: Log = { number, handle: await open(logFile(directory, number), 'a', 0o600), bytes: 0 };
      this.#logs.push(log);
      this.#baseBytes = await this.#writeBase(number, revision);
      await this.flush();
      const old = this.#logs.filter((one) => one !== log);
      this.#logs = [log];
      for (const { handle } of old) await handle.close();
      await this.#dropBefore(number);
    } catch (error) {
      if (!this.#closing.signal.aborted) await this.#giveUp(error);
    }
  }

  async #writeBase(number: number, revision: Revision): Promise<number> {
    const { directory, storeName: store, clock } = this.#options;
    const { identity } = this.#options.store.status();
    this.#identity = identity;
    const temporary = `${baseFile(directory, number)}.tmp`;
    await rm(temporary, { force: true });
    const handle = await open(temporary, 'wx', 0o600);
    try {
      let bytes = 0;
      const write = async (payload: Buffer): Promise<void> => {
        bytes += payload.length;
        await handle.appendFile(frameOf(payload));
      };
      await write(headFrame({ store, identity, revision, at: clock.wall() }));
      const foot = await this.#writePages(write, revision);
      await write(footFrame(foot));
      await rename(temporary, baseFile(directory, number));
      return bytes;
    } finally {
      await handle.close();
    }
  }

  async #writePages(
    write: (payload: Buffer) => Promise<void>,
    since: Revision,
  ): Promise<{ entries: number; revision: Revision }> {
    const { store, clock, pageKeys = PAGE_KEYS } = this.#options;
    const { signal } = this.#closing;
    let [count, revision] = [0, since];
    const { end } = prefixRange('');
    for (let start = ''; ;) {
      signal.throwIfAborted();
      const page = await store.read({ start, end }, { limit: pageKeys, except: historyRange() });
      if (page.revision < since) {
        await clock.sleep(BEHIND_MS, signal);
        continue;
      }
      const { entries } = page;
      const mirrored = entries.filter(({ key }) => isMirroredKey(key));
      count += mirrored.length;
      revision = Math.max(revision, page.revision);
      if (mirrored.length > 0) await write(entriesFrame(mirrored));
      const last = entries.at(-1);
      if (entries.length < pageKeys || last === undefined) return { entries: count, revision };
      start = `${last.key}\0`;
    }
  }

  async #dropBefore(number: number): Promise<void> {
    const { directory } = this.#options;
    for (const name of await readdir(directory)) {
      const [, found] = /^(?:base|log)-(\d+)(?:\.tmp)?$/.exec(name) ?? [];
      if (found !== undefined && Number(found) < number) await rm(path.join(directory, name), { force: true });
    }
  }
}

/** History is not kept in memory either, and duties are read from the store. */
function isMirroredKey(key: string): boolean {
  return !inRange(historyRange(), key) && !key.startsWith('lead/');
}

function isMirrored(event: StoreEvent): boolean {
  return isMirroredKey(event.type === 'put' ? event.entry.key : event.key);
}

async function basesIn(directory: string): Promise<number[]> {
  const names = await readdir(directory).catch(() => []);
  return names.flatMap((name) => {
    const [, number] = /^base-(\d+)$/.exec(name) ?? [];
    return number === undefined ? [] : [Number(number)];
  });
}

const baseFile = (directory: string, number: number): string => path.join(directory, `base-${number}`);
const logFile = (directory: string, number: number): string => path.join(directory, `log-${number}`);
