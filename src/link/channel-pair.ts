import type { Channel } from './channel.ts';
import type { NodeMessage, RegionMessage } from './messages.ts';

/** A node's end: it hears the region and speaks as a node. */
export type NodeChannel = Channel<RegionMessage, NodeMessage>;
/** The region's end. */
export type RegionChannel = Channel<NodeMessage, RegionMessage>;

/**
 * Two ends in one process. Each message crosses as a structured clone, in order, in a later microtask; what was sent
 * before a close still arrives, as on a socket, and what is sent after it is dropped.
 */
export function channelPair(): [node: NodeChannel, region: RegionChannel] {
  return memoryChannels<RegionMessage, NodeMessage>();
}

/** The same for whatever messages; the first of the two hears `Near`. */
export function memoryChannels<Near, Far>(): [near: Channel<Near, Far>, far: Channel<Far, Near>] {
  const near = new MemoryChannel<Near, Far>();
  const far = new MemoryChannel<Far, Near>();
  near.join(far);
  far.join(near);
  return [near, far];
}

class MemoryChannel<Incoming, Outgoing> implements Channel<Incoming, Outgoing> {
  #peer: MemoryChannel<Outgoing, Incoming> | undefined;
  readonly #inbox: Incoming[] = [];
  #handle: ((message: Incoming) => void) | undefined;
  #handleClose: ((reason: string) => void) | undefined;
  /** Set when the peer closed; takes effect after what it sent before. */
  #closing: string | undefined;
  #closed: string | undefined;
  #isScheduled = false;

  join(peer: MemoryChannel<Outgoing, Incoming>): void {
    this.#peer = peer;
  }

  send(message: Outgoing): void {
    if (this.#closed === undefined && this.#closing === undefined) this.#peer?.receive(structuredClone(message));
  }

  onMessage(handle: (message: Incoming) => void): void {
    this.#handle = handle;
    this.#schedule();
  }

  onClose(handle: (reason: string) => void): void {
    this.#handleClose = handle;
    if (this.#closed !== undefined) queueMicrotask(() => handle(this.#closed as string));
  }

  close(reason: string): void {
    if (this.#closed !== undefined) return;
    this.#inbox.length = 0;
    this.#finish(reason);
    this.#peer?.peerClosed(reason);
  }

  receive(message: Incoming): void {
    if (this.#closed !== undefined) return;
    this.#inbox.push(message);
    this.#schedule();
  }

  peerClosed(reason: string): void {
    this.#closing ??= reason;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    while (this.#handle !== undefined && this.#closed === undefined) {
      const message = this.#inbox.shift();
      if (message === undefined) break;
      this.#handle(message);
    }
    if (this.#closing !== undefined && this.#inbox.length === 0) this.#finish(this.#closing);
  }

  #finish(reason: string): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    const handle = this.#handleClose;
    if (handle !== undefined) queueMicrotask(() => handle(reason));
  }
}
