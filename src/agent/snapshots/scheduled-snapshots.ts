import { readdir, readFile, unlink } from 'node:fs/promises';
import path from 'node:path';
import {
  type Clock,
  ensureDirectory,
  messageOf,
  removeTemporaries,
  type Timer,
  writeAtomically,
} from '../../lib/index.ts';
import { type Duty, ofTheState, prefixRange, type Store, takeSnapshot, verifySnapshot } from '../../store/index.ts';
import type { SnapshotConfig } from '../config/config.ts';
import { snapshotFailed } from '../errors.ts';
import { dueInMs, outdated, savedSnapshots, snapshotName } from './snapshot-files.ts';

/** After a failure it is tried again so soon, unless the next is due before. */
const RETRY_MS = 60_000;

export interface ScheduledSnapshotsOptions extends SnapshotConfig {
  readonly store: Pick<Store, 'read'>;
  /** Whose holder saves them. */
  readonly duty: Duty;
  readonly datacenter: string;
  /** Of this drover. */
  readonly version: string;
  readonly clock: Clock;
  readonly report: (error: unknown) => void;
}

/** How it stands, for people. */
export interface SnapshotsStatus {
  /** The newest that this server has saved or found. */
  readonly newest: { readonly file: string; readonly revision: number; readonly at: string } | null;
  /** Why the last attempt failed; null when it did not. */
  readonly failure: string | null;
}

/**
 * Saves snapshots of the store every so often, while this server has that duty. Each is restored into a scratch store before it counts;
 * only then older ones go. One that fails is reported and tried again, and nothing is deleted.
 */
export class ScheduledSnapshots implements AsyncDisposable {
  readonly #options: ScheduledSnapshotsOptions;
  readonly #unlisten: () => void;
  #timer: Timer | undefined;
  #isHeld = false;
  #isClosed = false;
  #saving: Promise<void> = Promise.resolve();
  #status: SnapshotsStatus = { newest: null, failure: null };

  private constructor(options: ScheduledSnapshotsOptions) {
    this.#options = options;
    this.#unlisten = options.duty.onChange((isHeld) => this.#changed(isHeld));
  }

  static start(options: ScheduledSnapshotsOptions): ScheduledSnapshots {
    return new ScheduledSnapshots(options);
  }

  get status(): SnapshotsStatus {
    return this.#status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#unlisten();
    this.#timer?.cancel();
    await this.#saving;
  }

  #changed(isHeld: boolean): void {
    this.#isHeld = isHeld;
    this.#timer?.cancel();
    if (isHeld) this.#next(0);
  }

  #next(inMs: number): void {
    this.#timer?.cancel();
    if (!this.#isHeld || this.#isClosed) return;
    this.#timer = this.#options.clock.after(inMs, () => {
      this.#saving = this.#saving.then(() => this.#turn());
    });
  }

  /** Never rejects: says what went wrong, and goes on. */
  async #turn(): Promise<void> {
    if (!this.#isHeld || this.#isClosed) return;
    const { everyMs, directory, report } = this.#options;
    try {
      this.#next(await this.#saveWhenDue());
      this.#status = { ...this.#status, failure: null };
    } catch (cause) {
      const error = snapshotFailed.with({ cause }, directory, messageOf(cause));
      this.#status = { ...this.#status, failure: error.message };
      report(error);
      this.#next(Math.min(everyMs, RETRY_MS));
    }
  }

  /** Resolves with how long until the next look. */
  async #saveWhenDue(): Promise<number> {
    const { everyMs, directory, datacenter, keep, clock } = this.#options;
    await ensureDirectory(directory);
    await removeTemporaries(directory);
    const before = savedSnapshots(await readdir(directory), datacenter);
    this.#found(before[0]);
    const waitMs = dueInMs(before[0], everyMs, clock.wall());
    if (waitMs > 0) return waitMs;
    await this.#save();
    const saved = savedSnapshots(await readdir(directory), datacenter);
    this.#found(saved[0]);
    for (const { name } of outdated(saved, keep)) await unlink(path.join(directory, name));
    return everyMs;
  }

  async #save(): Promise<void> {
    const { store, datacenter, version, directory, clock } = this.#options;
    const state = await store.read(prefixRange(''));
    const atMs = clock.wall();
    const about = { version, region: datacenter, at: new Date(atMs).toISOString() };
    const { archive, meta } = await takeSnapshot({ read: () => Promise.resolve(state) }, about);
    await verifySnapshot(archive, state.entries.filter(ofTheState));
    const file = path.join(directory, snapshotName(datacenter, meta.index, atMs));
    await writeAtomically(file, archive);
    if (archive.equals(await readFile(file))) return;
    await unlink(file);
    throw new Error('what the disk gives back is not what was written');
  }

  #found(newest: { readonly name: string; readonly revision: number; readonly atMs: number } | undefined): void {
    if (newest === undefined) return;
    const { name, revision, atMs } = newest;
    const file = path.join(this.#options.directory, name);
    this.#status = { ...this.#status, newest: { file, revision, at: new Date(atMs).toISOString() } };
  }
}
