import { open, readFile, rename, type FileHandle } from 'node:fs/promises';
import { messageOf, writeAtomically } from '../lib/index.ts';

/** What a journal held when it was opened. */
export interface OpenedJournal<Line> {
  readonly journal: Journal<Line>;
  readonly lines: readonly Line[];
  /** Set when part of it could not be read: why, and where the whole file was put aside. */
  readonly damaged?: { readonly reason: string; readonly keptAs: string };
}

/**
 * A part's own state as lines of JSON that are added to: a change costs the same however much there is already. What was
 * appended is on the disk when the call resolves; appends that wait for each other share one sync.
 */
export class Journal<Line> implements AsyncDisposable {
  readonly #file: string;
  #handle: FileHandle;
  #waiting: string[] = [];
  #flushing: Promise<void> | null = null;
  #length: number;

  /**
   * Reads a journal, making one where there is none. A line that was cut off by a crash was never acknowledged and is
   * dropped; with any other line that `parse` throws on, the file is kept as `<file>.damaged` and goes on without it.
   */
  static async open<Line>(file: string, parse: (value: unknown) => Line): Promise<OpenedJournal<Line>> {
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    });
    const { lines, reason } = readLines(text, parse);
    const keptAs = `${file}.damaged`;
    if (reason !== null) await rename(file, keptAs);
    const isWhole = reason === null && (text === '' || text.endsWith('\n'));
    if (!isWhole) await writeAtomically(file, textOf(lines));
    const journal = new Journal<Line>(file, await openToAppend(file), lines.length);
    return { journal, lines, ...(reason === null ? {} : { damaged: { reason, keptAs } }) };
  }

  private constructor(file: string, handle: FileHandle, length: number) {
    this.#file = file;
    this.#handle = handle;
    this.#length = length;
  }

  /** Lines in the file. */
  get length(): number {
    return this.#length;
  }

  /** Resolves when the lines are on the disk. Rejects with the system's error. */
  async append(lines: readonly Line[]): Promise<void> {
    if (lines.length === 0) return;
    this.#length += lines.length;
    this.#waiting.push(textOf(lines));
    // Those who come while a sync is under way share the next one.
    if (this.#flushing !== null) await this.#flushing.catch(() => undefined);
    if (this.#waiting.length > 0) this.#flushing ??= this.#flush().finally(() => (this.#flushing = null));
    await this.#flushing;
  }

  /** Replaces everything by these lines, which say also what is waiting to be appended. */
  async rewrite(lines: readonly Line[]): Promise<void> {
    while (this.#flushing !== null) await this.#flushing.catch(() => undefined);
    this.#waiting = [];
    this.#length = lines.length;
    this.#flushing = this.#replace(lines).finally(() => (this.#flushing = null));
    await this.#flushing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#flushing?.catch(() => undefined);
    await this.#handle.close();
  }

  async #flush(): Promise<void> {
    const text = this.#waiting.splice(0).join('');
    await this.#handle.appendFile(text);
    await this.#handle.datasync();
  }

  async #replace(lines: readonly Line[]): Promise<void> {
    await writeAtomically(this.#file, textOf(lines));
    await this.#handle.close();
    this.#handle = await openToAppend(this.#file);
  }
}

function openToAppend(file: string): Promise<FileHandle> {
  return open(file, 'a', 0o600);
}

function textOf(lines: readonly unknown[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

function readLines<Line>(text: string, parse: (value: unknown) => Line): { lines: Line[]; reason: string | null } {
  const rows = text.split('\n');
  // What follows the last newline was cut off, or is nothing.
  rows.pop();
  const lines: Line[] = [];
  let reason: string | null = null;
  for (const [index, row] of rows.entries()) {
    try {
      lines.push(parse(JSON.parse(row)));
    } catch (error) {
      reason ??= `line ${index + 1}: ${messageOf(error)}`;
    }
  }
  return { lines, reason };
}
