import { readFile } from 'node:fs/promises';
import { readdirSync, readlinkSync } from 'node:fs';

/** Who may call: a name for each process. */
export type Parties = ReadonlyMap<number, string>;

/** An established connection in /proc/net/tcp: own port in hexadecimal, inode of the socket. */
const ESTABLISHED = /^ *\d+: [\dA-F]{8}:([\dA-F]{4}) [\dA-F]{8}:[\dA-F]{4} 01 \S+ \S+ \S+ +\d+ +\d+ (\d+)/gm;

/**
 * The names of the processes that made the connections from these ports of this machine; those in no list are left out. Looks the
 * sockets up in /proc: all parties of a test call from one address, so nothing else tells them apart. That takes a tenth of a second
 * where there are thousands of connections: many are looked up together.
 */
async function callersOf(ports: readonly number[], parties: Parties): Promise<ReadonlyMap<number, string>> {
  const wanted = new Set(ports);
  const byLink = new Map<string, number>();
  for (const [, port = '', inode] of (await readFile('/proc/net/tcp', 'latin1')).matchAll(ESTABLISHED)) {
    const number = Number.parseInt(port, 16);
    if (wanted.has(number)) byLink.set(`socket:[${inode}]`, number);
  }
  const callers = new Map<number, string>();
  for (const [pid, name] of parties) {
    if (callers.size === byLink.size) break;
    for (const link of linksOf(pid)) {
      const port = byLink.get(link);
      if (port !== undefined) callers.set(port, name);
    }
  }
  return callers;
}

function linksOf(pid: number): string[] {
  try {
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).flatMap((descriptor) => linkOf(`${folder}/${descriptor}`));
  } catch {
    return [];
  }
}

function linkOf(file: string): string[] {
  try {
    return [readlinkSync(file)];
  } catch {
    return [];
  }
}

/** Looks callers up for many lines at once: what is asked within a moment is answered by one look. */
export class Callers {
  readonly #parties: Parties;
  #ports: number[] = [];
  #looking: Promise<ReadonlyMap<number, string>> | null = null;

  constructor(parties: Parties) {
    this.#parties = parties;
  }

  /** Names by port. */
  of(ports: readonly number[]): Promise<ReadonlyMap<number, string>> {
    this.#ports.push(...ports);
    this.#looking ??= new Promise<void>((resolve) => void setImmediate(resolve)).then(() => {
      const asked = this.#ports;
      this.#ports = [];
      this.#looking = null;
      return callersOf(asked, this.#parties);
    });
    return this.#looking;
  }
}
