import { execFileSync, spawn } from 'node:child_process';
import { chownSync, closeSync, constants, openSync, unlinkSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Owner } from '../atomic-file.ts';

/**
 * One real pipe for a command's standard output and error, read into `take`. It is not the socket that Node would give:
 * scripts can open /dev/stdout again. A daemon that the command leaves behind may go on writing after `finish`.
 */
export class OutputPipe {
  readonly #readEnd: number;
  readonly #socket: Socket;
  #writeEnd: number | null;
  #open = true;

  constructor(path: string, owner: Owner | null, take: (chunk: Buffer) => void) {
    // By name, so that it can belong to the user that the command runs as.
    execFileSync('mkfifo', ['-m', '600', path], { stdio: 'ignore' });
    if (owner) chownSync(path, owner.uid, owner.gid);
    this.#readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    this.#writeEnd = openSync(path, 'w');
    unlinkSync(path);
    this.#socket = new Socket({ fd: this.#readEnd, readable: true, writable: false });
    this.#socket.on('data', take);
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => (this.#open = false));
  }

  /** To be given to the command as descriptors 1 and 2. */
  get writeEnd(): number {
    return this.#writeEnd as number;
  }

  /** Once the command has its own copy: only then does the end of all writers show. */
  closeWriteEnd(): void {
    if (this.#writeEnd !== null) closeSync(this.#writeEnd);
    this.#writeEnd = null;
  }

  /**
   * Takes what was written until now. When some daemon still holds the pipe after `graceMs`, a `cat` swallows what it
   * writes from then on: without a reader its next line would kill it with SIGPIPE.
   */
  async finish(graceMs: number): Promise<void> {
    const closed = this.#open ? new Promise<void>((resolve) => this.#socket.once('close', resolve)) : undefined;
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, graceMs))]);
    if (!this.#open) return;
    this.#socket.pause();
    spawn('cat', [], { detached: true, stdio: [this.#readEnd, 'ignore', 'ignore'], cwd: '/' }).unref();
  }
}
