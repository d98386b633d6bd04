import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { systemClock } from '../lib/index.ts';
import { refuseUpgrade } from '../link/index.ts';
import { upgradeRefused } from './errors.ts';
import type { FrontDoor } from './front-door.ts';

/** Takes over the connection of a request that asks for another protocol. `head` is what came behind the request already. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** Requests that become another protocol's, by path: links. One for any other path is answered as if it had not asked for that. */
export class Upgrades implements AsyncDisposable {
  readonly #handlers: ReadonlyMap<string, UpgradeHandler>;
  readonly #door: Pick<FrontDoor, 'refusalOfUpgrade'>;
  readonly #closeMs: number;
  readonly #sockets = new Set<Duplex>();

  constructor(
    handlers: ReadonlyMap<string, UpgradeHandler>,
    door: Pick<FrontDoor, 'refusalOfUpgrade'>,
    closeMs: number,
  ) {
    this.#handlers = handlers;
    this.#door = door;
    this.#closeMs = closeMs;
  }

  /** Whether a request's path is one of those. */
  readonly wants = ({ url = '' }: IncomingMessage): boolean => this.#handlers.has(pathOf(url));

  watch(server: Server): void {
    server.on('upgrade', (request, socket, head) => this.#take(request, socket, head));
  }

  /** Lets what is upgraded end for a moment, then cuts it: a server that closes waits for it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#sockets.size === 0) return;
    const ended = [...this.#sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    const cut = systemClock.after(this.#closeMs, () => {
      for (const socket of this.#sockets) socket.destroy();
    });
    await Promise.all(ended);
    cut.cancel();
  }

  #take(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    const refusal = this.#door.refusalOfUpgrade(request);
    const handle = this.#handlers.get(pathOf(request.url ?? ''));
    if (refusal !== null || handle === undefined) return refuseUpgrade(socket, upgradeRefused(refusal ?? 'not here'));
    handle(request, socket, head);
  }
}

function pathOf(url: string): string {
  return url.split('?', 1)[0] as string;
}
