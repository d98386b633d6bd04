import { createServer } from 'node:net';

/** Below what the kernel hands out for outgoing connections: nobody gets one of these between the look and the use. */
const LOWEST = 10_000;
const HIGHEST = 32_000;
const TRIES = 200;

/** Ports that are free for TCP, no two of them equal, from a range that no outgoing connection is given. */
export class FreePorts {
  readonly #given = new Set<number>();

  /** One that is free on each of the addresses. @throws when none was found */
  async next(...addresses: readonly string[]): Promise<number> {
    for (let left = TRIES; left > 0; left--) {
      const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
      if (this.#given.has(port)) continue;
      this.#given.add(port);
      const free = await Promise.all(addresses.map((address) => isFree(port, address)));
      if (free.every(Boolean)) return port;
    }
    throw new Error(`no port is free on ${addresses.join(', ')}`);
  }
}

function isFree(port: number, address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, address, () => server.close(() => resolve(true)));
  });
}
