import { readFile, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import type { Consumer, Outcome, SendReceipt } from '../change/index.ts';
import {
  ensureDirectory,
  openState,
  removeTemporaries,
  saveState,
  syncDirectory,
  writeAtomically,
} from '../lib/index.ts';
import type { Clock, Owner, Timer } from '../lib/index.ts';
import type { NodeView } from '../registry/index.ts';
import { parseManifest } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { planFiles } from './plan-files.ts';
import type { FilePlan } from './plan-files.ts';
import { summarise } from './summarise.ts';
import type { FileFailure } from './summarise.ts';

export interface EnvironmentFilesOptions {
  /** Where the files are, such as /etc/services.d; created (0755) when absent. */
  readonly directory: string;
  /** Where drover keeps the list of files it wrote; the node's own. */
  readonly stateDirectory: string;
  /** Permissions of the files; default 0640. */
  readonly mode?: number;
  readonly owner?: Owner;
  readonly receipt: SendReceipt;
  readonly clock: Clock;
  /** First wait after a failed write and the longest, doubling between; default 1 s and 60 s. */
  readonly backoff?: { readonly firstMs: number; readonly mostMs: number };
  /** Told what an operator should know; default nothing. */
  readonly log?: (message: string) => void;
}

/** Keeps a shell file of the environment of each of the node's services (P5): the consumer `environment`. */
export class EnvironmentFiles implements Consumer {
  readonly kind = 'environment' as const;
  readonly #options: EnvironmentFilesOptions;
  #manifest: Manifest;
  #view: NodeView | null = null;
  #busy: Promise<void> = Promise.resolve();
  #retry: Timer | null = null;
  #failures = 0;
  #closed = false;

  private constructor(options: EnvironmentFilesOptions, manifest: Manifest) {
    this.#options = options;
    this.#manifest = manifest;
  }

  /** Reads what drover wrote before; rejects when the state directory cannot be used. */
  static async start(options: EnvironmentFilesOptions): Promise<EnvironmentFiles> {
    await ensureDirectory(options.stateDirectory);
    const { value, damaged } = await openState(manifestFile(options), parseManifest);
    if (damaged)
      options.log?.(`the list of environment files is damaged (${damaged.reason}), kept as ${damaged.keptAs}`);
    await removeTemporaries(options.directory);
    return new EnvironmentFiles(options, value ?? { version: 1, files: [] });
  }

  offer(view: NodeView): Promise<void> {
    this.#view = view;
    this.#failures = 0;
    return this.#enqueue();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#retry?.cancel();
    await this.#busy;
  }

  /** One at a time: a retry that is under way ends before the next view's turn. */
  #enqueue(): Promise<void> {
    this.#retry?.cancel();
    this.#retry = null;
    this.#busy = this.#busy.then(() => this.#takeUp());
    return this.#busy;
  }

  async #takeUp(): Promise<void> {
    const view = this.#view;
    if (view === null || this.#closed) return;
    const plan = planFiles(view.environments, this.#manifest.files);
    const { changed, failures } = await this.#apply(plan);
    const { outcome, reason } = summarise(plan.kept, failures, changed);
    this.#report(view, outcome, reason, failures.length > 0 ? this.#retryLater() : undefined);
  }

  #report(view: NodeView, outcome: Outcome, reason?: string, retryAt?: string): void {
    const { revision } = view;
    this.#options.receipt({ revision, outcome, ...(reason && { reason }), ...(retryAt && { retryAt }) });
  }

  #retryLater(): string {
    const { firstMs, mostMs } = this.#options.backoff ?? { firstMs: 1_000, mostMs: 60_000 };
    const delayMs = Math.min(firstMs * 2 ** this.#failures++, mostMs);
    this.#retry = this.#options.clock.after(delayMs, () => void this.#enqueue());
    return new Date(this.#options.clock.wall() + delayMs).toISOString();
  }

  /** Failures of one file cost no other. */
  async #apply(plan: FilePlan): Promise<{ changed: boolean; failures: readonly FileFailure[] }> {
    const failures: FileFailure[] = [];
    let changed = false;
    const attempt = async (file: string, act: () => Promise<boolean>): Promise<void> => {
      try {
        changed = (await act()) || changed;
      } catch (error) {
        failures.push({ file, error });
      }
    };
    // Before any file: one that was written and is not on the list would never be removed again.
    await attempt(manifestFile(this.#options), () => this.#remember(plan));
    if (failures.length > 0) return { changed, failures };
    await attempt(this.#options.directory, () => ensureDirectory(this.#options.directory, 0o755).then(() => false));
    if (failures.length > 0) return { changed, failures };
    for (const { file, content } of plan.write) await attempt(file, () => this.#write(file, content));
    for (const file of plan.remove) await attempt(file, () => this.#remove(file));
    return { changed, failures };
  }

  async #remember(plan: FilePlan): Promise<boolean> {
    const known = new Set(this.#manifest.files);
    const fresh = plan.write.map(({ file }) => file).filter((file) => !known.has(file));
    if (fresh.length > 0) await this.#keepManifest([...known, ...fresh]);
    return false;
  }

  async #keepManifest(files: readonly string[]): Promise<void> {
    const manifest: Manifest = { version: 1, files: [...files].toSorted() };
    await saveState(manifestFile(this.#options), manifest);
    this.#manifest = manifest;
  }

  async #write(name: string, content: string): Promise<boolean> {
    const { directory, owner, mode = 0o640 } = this.#options;
    const file = path.join(directory, name);
    if (await isAsWanted(file, content, mode, owner)) return false;
    await writeAtomically(file, content, { mode, ...(owner && { owner }) });
    return true;
  }

  async #remove(name: string): Promise<boolean> {
    const { directory } = this.#options;
    await unlink(path.join(directory, name)).catch(unlessAbsent);
    await syncDirectory(directory);
    await this.#keepManifest(this.#manifest.files.filter((file) => file !== name));
    return true;
  }
}

function manifestFile({ stateDirectory }: EnvironmentFilesOptions): string {
  return path.join(stateDirectory, 'environment-files.json');
}

async function isAsWanted(file: string, content: string, mode: number, owner: Owner | undefined): Promise<boolean> {
  const found = await stat(file).catch(unlessAbsent);
  if (found === undefined || !found.isFile() || (found.mode & 0o7777) !== mode) return false;
  if (owner && (found.uid !== owner.uid || found.gid !== owner.gid)) return false;
  // A file that cannot be read may still be replaced.
  return (await readFile(file, 'utf8').catch(() => null)) === content;
}

function unlessAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
