import type { Clock } from '../../lib/index.ts';
import type { Entry, KeyRange, ReadOptions, Revision } from '../contract.ts';
import { rangesWithout } from '../contract.ts';
import type { EtcdClient, RangeRequestInit } from './client.ts';
import { EtcdCallFailed } from './client.ts';
import type { Era } from './era.ts';
import type { KeyValue } from './generated/kv_pb.ts';
import type { RangeResponse } from './generated/rpc_pb.ts';
import { bytesOf, META_KEY, rawRange } from './keys.ts';
import type { RawRange } from './keys.ts';
import { PageSize } from './page-size.ts';
import { pointerCompare } from './translate.ts';

const MOST_TRIES = 4;
const PAUSE_MS = 100;
/** Large pages of a busy etcd take their time. */
const PAGE_MS = 30_000;

export interface EtcdReaderOptions {
  readonly client: EtcdClient;
  readonly clock: Clock;
  readonly era: () => Era;
  readonly renewed: (era: Era) => Promise<void>;
}

/** Reads ranges of any size, in pages that all show one revision. */
export class EtcdReader {
  readonly #options: EtcdReaderOptions;

  constructor(options: EtcdReaderOptions) {
    this.#options = options;
  }

  /** @throws EtcdCallFailed */
  async read(range: KeyRange, options: ReadOptions = {}): Promise<{ entries: Entry[]; revision: Revision }> {
    for (let tries = 1; ; tries++) {
      const era = this.#options.era();
      try {
        const found = await this.#readIn(era, range, options);
        if (found !== null) return found;
        await this.#options.renewed(era);
      } catch (error) {
        if (tries >= MOST_TRIES || !isPassing(error)) throw error;
        await this.#options.clock.sleep(PAUSE_MS);
      }
    }
  }

  /** Null when the era does not hold any more. */
  async #readIn(
    era: Era,
    range: KeyRange,
    options: ReadOptions,
  ): Promise<{ entries: Entry[]; revision: Revision } | null> {
    const limit = options.limit ?? Infinity;
    const parts = rangesWithout(range, options.except).flatMap((part) => rawRange(part, era.prefix) ?? []);
    const entries: Entry[] = [];
    const pages = new Pages(this.#options.client, era, options);
    for (const part of limit > 0 ? parts : []) {
      for await (const page of pages.of(part, () => limit - entries.length)) {
        if (page === null) return null;
        for (const kv of page.kvs) entries.push(era.entry(kv, options.keysOnly));
      }
      if (entries.length >= limit) break;
    }
    const raw = pages.revision ?? (await pages.present());
    return raw === null ? null : { entries, revision: era.revision(raw) };
  }
}

class Pages {
  readonly #client: EtcdClient;
  readonly #era: Era;
  readonly #options: ReadOptions;
  readonly #size = new PageSize();
  /** etcd's revision of the first page, and so of all. */
  revision: bigint | undefined;

  constructor(client: EtcdClient, era: Era, options: ReadOptions) {
    this.#client = client;
    this.#era = era;
    this.#options = options;
  }

  /** The pages of a range; a null ends them when the era does not hold any more. */
  async *of(range: RawRange, left: () => number): AsyncGenerator<RangeResponse | null, void, undefined> {
    let page = await this.#page({ ...range, limit: BigInt(Math.min(this.#size.entries, left())) });
    for (;;) {
      const last = page?.kvs.at(-1);
      if (page === null || last === undefined || !page.more || page.kvs.length >= left()) return yield page;
      this.#size.saw(page.kvs);
      // The next one is on its way while this one is looked at.
      const next = this.#after(range, last, left() - page.kvs.length);
      yield page;
      page = await next;
    }
  }

  #after({ rangeEnd }: RawRange, last: KeyValue, left: number): Promise<RangeResponse | null> {
    const key = Buffer.concat([last.key, Buffer.of(0)]);
    const page = this.#page({ key, rangeEnd, limit: BigInt(Math.min(this.#size.entries, left)) });
    // Who reads may have stopped before it comes.
    page.catch(() => {});
    return page;
  }

  /** etcd's present revision; null when the era does not hold any more. */
  async present(): Promise<bigint | null> {
    const page = await this.#page({ key: bytesOf(META_KEY), keysOnly: true });
    return page === null ? null : (this.revision ?? 0n);
  }

  async #page(request: RangeRequestInit): Promise<RangeResponse | null> {
    const { keysOnly = false, linearizable = true } = this.#options;
    const wanted = { ...request, keysOnly, serializable: !linearizable };
    if (this.revision !== undefined)
      return await this.#client.range({ ...wanted, revision: this.revision }, { timeoutMs: PAGE_MS });
    const { header, succeeded, responses } = await this.#client
      .txn({
        compare: [pointerCompare(this.#era)],
        success: [{ request: { case: 'requestRange', value: wanted } }],
      })
      .catch(failureOfRead);
    const first = responses[0]?.response;
    if (!succeeded || first?.case !== 'responseRange') return null;
    this.revision = header?.revision ?? 0n;
    return first.value;
  }
}

/** Reading again may help: history was compacted behind the first page, or a member went away. */
function isPassing(error: unknown): boolean {
  return error instanceof EtcdCallFailed && (error.kind === 'compacted' || error.kind === 'unavailable');
}

/** A transaction that only reads has written nothing, whatever became of it. */
function failureOfRead(error: unknown): never {
  if (!(error instanceof EtcdCallFailed) || error.outcome === 'none') throw error;
  throw new EtcdCallFailed(error.kind, error.message, { outcome: 'none', endpoint: error.endpoint, cause: error });
}
