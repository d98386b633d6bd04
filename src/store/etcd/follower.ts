import { Backoff } from '../../lib/index.ts';
import type { Clock } from '../../lib/index.ts';
import type { Batch, StoreEvent } from '../contract.ts';
import type { History } from '../history.ts';
import type { EtcdClient } from './client.ts';
import type { Era } from './era.ts';
import { Event_EventType } from './generated/kv_pb.ts';
import type { KeyValue } from './generated/kv_pb.ts';
import type { WatchResponse } from './generated/rpc_pb.ts';
import { bytesOf, META_KEY } from './keys.ts';
import { WatchFrames } from './watch-frames.ts';
import type { RawBatch } from './watch-frames.ts';

/** Every key there is: so every revision arrives, and every wait for one ends. */
const ALL_KEYS = { key: Uint8Array.of(0), rangeEnd: Uint8Array.of(0) };
const META_BYTES = bytesOf(META_KEY);
const BACKOFF = { firstMs: 50, mostMs: 1_000 };

export interface FollowerOptions {
  readonly client: EtcdClient;
  readonly clock: Clock;
  readonly random: () => number;
  readonly history: History;
  readonly era: Era;
  /** etcd's revision that `history` begins after. */
  readonly from: number;
  readonly clusterId: bigint;
  /** Reads what a pointer points at. */
  readonly loadEra: (kv: KeyValue) => Promise<Era>;
  /** Nothing goes on: why. */
  readonly fail: (why: string) => void;
  readonly report: (error: unknown) => void;
}

/**
 * The one watch of a server on its etcd: keeps history up to date, and knows which era holds. It resumes by itself at the revision
 * that it has come to.
 */
export class Follower {
  readonly #options: FollowerOptions;
  readonly #closing = new AbortController();
  readonly #following: Promise<void>;
  #era: Era;
  #applied: number;
  #connected = false;
  #lostAtMs: number;
  #heardAtMs: number;
  readonly #waiting = new Set<() => void>();

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#era = options.era;
    this.#applied = options.from;
    this.#lostAtMs = options.clock.now();
    this.#heardAtMs = this.#lostAtMs;
    this.#following = this.#follow();
  }

  get era(): Era {
    return this.#era;
  }

  /** Whether the watch stands, which it only does while its member knows a leader. */
  get connected(): boolean {
    return this.#connected;
  }

  /** Whether it follows nothing any more: it was closed, or its etcd is not the one that it knew. */
  get ended(): boolean {
    return this.#closing.signal.aborted;
  }

  /** For how long the watch has not stood, in ms. */
  get lostForMs(): number {
    return this.#connected ? 0 : this.#options.clock.now() - this.#lostAtMs;
  }

  /** When the etcd that the watch stood on was heard of last; undefined while it stands. A member without a leader answers, and knows nothing new. */
  get heardAtMs(): number | undefined {
    return this.#connected ? undefined : this.#heardAtMs;
  }

  /** Resolves when the watch stands, or another era holds, or the follower ends. */
  changed(signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#closing.signal.aborted) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = (): void => {
      this.#waiting.delete(wake);
      signal.removeEventListener('abort', wake);
      resolve();
    };
    // While there is no leader everybody comes in vain, many times a second: nobody is kept who has gone.
    this.#waiting.add(wake);
    signal.addEventListener('abort', wake);
    return promise;
  }

  /** How many wait for a change. */
  get waiters(): number {
    return this.#waiting.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#wake();
    await this.#following;
  }

  /** Never rejects: a watch that ends is begun again where it stopped. */
  async #follow(): Promise<void> {
    const { signal } = this.#closing;
    const backoff = new Backoff(BACKOFF);
    let isFirst = true;
    while (!signal.aborted) {
      try {
        if (!isFirst) await this.#checkPlace();
        isFirst = false;
        if (this.ended) return;
        await this.#watch(() => backoff.reset());
      } catch (error) {
        if (!signal.aborted && backoff.failures === 0) this.#options.report(error);
      }
      this.#disconnected();
      const waitMs = backoff.next() * (0.5 + this.#options.random() / 2);
      await this.#options.clock.sleep(waitMs, signal).catch(() => {});
    }
  }

  async #watch(onCreated: () => void): Promise<void> {
    const request = { ...ALL_KEYS, startRevision: BigInt(this.#applied + 1), fragment: true };
    const frames = new WatchFrames();
    for await (const response of this.#options.client.watch(request, this.#closing.signal)) {
      if (response.canceled) return await this.#canceled(response);
      if (response.created) {
        onCreated();
        this.#connected = true;
        this.#wake();
      }
      await this.#apply(frames.push(response));
    }
  }

  /** etcd gives a compaction no reason, only the revision (store.md 2.4, trap 1). */
  async #canceled({ compactRevision, cancelReason }: WatchResponse): Promise<void> {
    if (compactRevision === 0n) throw new Error(`etcd ended the watch: ${cancelReason || 'it gave no reason'}`);
    await this.#startAgain();
  }

  /** What is between is lost: watchers have to read again. */
  async #startAgain(): Promise<void> {
    const { header, kvs } = await this.#readPointer();
    const [kv] = kvs;
    if (kv === undefined) return this.#fail(`its pointer ${META_KEY} is gone`);
    await this.#moveTo(kv, Number(header?.revision ?? 0n));
  }

  async #apply(batches: readonly RawBatch[]): Promise<void> {
    let ready: Batch[] = [];
    for (const batch of batches) {
      // Some versions of etcd repeat events, or travel back in time, when a watch is resumed.
      if (batch.revision <= this.#applied) continue;
      const pointer = batch.events.find(({ kv }) => kv !== undefined && META_BYTES.compare(kv.key) === 0);
      if (pointer === undefined) {
        for (let gap = this.#applied + 1; gap < batch.revision; gap++)
          ready.push(this.#batch({ revision: gap, events: [] }));
        ready.push(this.#batch(batch));
        this.#applied = batch.revision;
      } else {
        this.#options.history.publish(ready);
        ready = [];
        if (pointer.type === Event_EventType.DELETE) return this.#fail(`its pointer ${META_KEY} was deleted`);
        await this.#moveTo(pointer.kv as KeyValue, batch.revision);
      }
    }
    this.#options.history.publish(ready);
  }

  #batch({ revision, events }: RawBatch): Batch {
    const ours = events
      .map((event) => this.#era.event(event))
      .filter((event): event is StoreEvent => event !== undefined);
    return { revision: this.#era.revision(revision), events: ours };
  }

  /** A new pointer, or the old one at a revision that was not followed to: everybody reads again. */
  async #moveTo(pointer: KeyValue, revision: number): Promise<void> {
    if (Number(pointer.modRevision) !== this.#era.pointer.flip) this.#era = await this.#options.loadEra(pointer);
    this.#applied = revision;
    this.#options.history.restart(this.#era.revision(revision));
    this.#wake();
  }

  /** Before a watch is resumed: whether this is still the etcd that we know, and not one that was set back. */
  async #checkPlace(): Promise<void> {
    const { header } = await this.#readPointer();
    if (header === undefined) return;
    if (header.clusterId !== this.#options.clusterId) return this.#fail('etcd is another cluster than before');
    if (Number(header.revision) < this.#applied)
      this.#fail(`etcd was set back: it is at revision ${header.revision}, and was at ${this.#applied}`);
  }

  #readPointer(): ReturnType<EtcdClient['range']> {
    return this.#options.client.range({ key: META_BYTES }, { signal: this.#closing.signal });
  }

  #fail(why: string): void {
    this.#options.fail(why);
    this.#closing.abort();
    this.#wake();
  }

  #disconnected(): void {
    if (this.#connected) {
      const { client, clock } = this.#options;
      this.#lostAtMs = clock.now();
      this.#heardAtMs = Math.min(this.#lostAtMs, client.health.lastContactAtMs);
    }
    this.#connected = false;
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }
}
