import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';

/**
 * A log file that cannot fill the disk: at `maxBytes` it becomes `<file>.1`, replacing the one before. Writing is
 * synchronous, so a flood is slowed down at its source; what a full disk refuses is dropped.
 */
export class BoundedLog {
  readonly #file: string;
  readonly #maxBytes: number;
  #descriptor: number;
  #size: number;

  constructor(file: string, maxBytes: number) {
    this.#file = file;
    this.#maxBytes = maxBytes;
    this.#descriptor = openSync(file, 'a', 0o600);
    this.#size = fstatSync(this.#descriptor).size;
  }

  write(chunk: Uint8Array | string): void {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    try {
      if (this.#size > 0 && this.#size + bytes.length > this.#maxBytes) this.#rotate();
      this.#size += writeSync(this.#descriptor, bytes);
    } catch {
      // A log that cannot be written must not end the run.
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #rotate(): void {
    renameSync(this.#file, `${this.#file}.1`);
    const next = openSync(this.#file, 'a', 0o600);
    closeSync(this.#descriptor);
    this.#descriptor = next;
    this.#size = 0;
  }
}
