import type { Clock } from '../lib/index.ts';
import type { Rendered } from './render.ts';

/** What the region says to a question. */
export interface RegionsAnswer {
  /** The octets of the answer; null: none is given. */
  readonly packet: Uint8Array | null;
  /** What it is made of, in several orders; none where it must not be kept. */
  readonly rendered: readonly Rendered[];
  /** What it follows from: it stands until one of these is said to be stale; without any it is for need only. */
  readonly topics: readonly string[];
}

/** A question with its transport, as it goes to the region. */
export interface RegionsQuestion {
  readonly packet: Uint8Array;
  readonly transport: 'udp' | 'tcp';
  readonly maxBytes: number | null;
  readonly client: string;
}

export interface SharedAnswersOptions {
  /** Asks a server. Rejects when none can be asked. */
  readonly ask: (question: RegionsQuestion) => Promise<RegionsAnswer>;
  readonly clock: Pick<Clock, 'now'>;
  /** Answers at most; those that were asked for longest ago go first. */
  readonly most?: number;
}

/** An answer that is here: `isGood` while nothing of it is stale and the server that gave it would say so. */
export interface KeptShare {
  readonly rendered: Rendered;
  readonly isGood: boolean;
}

interface Entry {
  readonly question: RegionsQuestion;
  readonly rendered: readonly Rendered[];
  readonly topics: readonly string[];
  isGood: boolean;
  next: number;
  usedAtMs: number;
}

const MOST_ANSWERS = 20_000;
/** What was asked for within this time is asked for anew as soon as it is stale, before somebody waits for it. */
const IN_USE_MS = 60_000;
/** Of these questions so many are asked at once. */
const MOST_REFRESHED = 256;

/**
 * Answers of the region that are kept here. One is good from the moment it came until a server says that something it follows from
 * changed, or the link to that server ends: then it is for need only, while nobody can be asked.
 */
export class SharedAnswers {
  readonly #options: SharedAnswersOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #byTopic = new Map<string, Set<string>>();
  readonly #asking = new Map<string, Promise<RegionsAnswer | null>>();
  /** Counts what was said to be stale: an answer from before that is not kept. */
  #era = 0;

  constructor(options: SharedAnswersOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** What there is under a name; it counts as asked for. Each call gives the next of its orders. */
  get(key: string): KeptShare | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    entry.usedAtMs = this.#options.clock.now();
    const rendered = entry.rendered[entry.next++ % entry.rendered.length] as Rendered;
    return { rendered, isGood: entry.isGood };
  }

  /** Asks the region, once for all who ask the same at a time, and keeps what it says; null when it cannot be asked. */
  ask(key: string, question: RegionsQuestion): Promise<RegionsAnswer | null> {
    const known = this.#asking.get(key);
    if (known !== undefined) return known;
    const asking = this.#ask(key, question).finally(() => this.#asking.delete(key));
    this.#asking.set(key, asking);
    return asking;
  }

  /** Drops what follows from these topics, `*` from any, and asks anew for what is in use. */
  stale(topics: readonly string[]): void {
    const keys = topics.includes('*')
      ? [...this.#entries.keys()]
      : [...new Set(topics.flatMap((topic) => [...(this.#byTopic.get(topic) ?? [])]))];
    const nowMs = this.#options.clock.now();
    this.#era++;
    let refreshed = 0;
    for (const key of keys) {
      const entry = this.#entries.get(key) as Entry;
      this.#drop(key);
      if (nowMs - entry.usedAtMs > IN_USE_MS || entry.topics.length === 0 || refreshed++ >= MOST_REFRESHED) continue;
      void this.ask(key, entry.question);
    }
  }

  /** The link is another, or gone: nobody says any more when something is stale. */
  doubt(): void {
    this.#era++;
    for (const entry of this.#entries.values()) entry.isGood = false;
  }

  /** Never rejects. */
  async #ask(key: string, question: RegionsQuestion): Promise<RegionsAnswer | null> {
    const era = this.#era;
    try {
      const answer = await this.#options.ask(question);
      if (answer.rendered.length > 0) this.#keep(key, question, answer, era === this.#era);
      return answer;
    } catch {
      return null;
    }
  }

  #keep(key: string, question: RegionsQuestion, { rendered, topics }: RegionsAnswer, isCertain: boolean): void {
    this.#drop(key);
    const { clock, most = MOST_ANSWERS } = this.#options;
    const isGood = isCertain && topics.length > 0;
    const packet = Buffer.from(question.packet);
    const usedAtMs = clock.now();
    this.#entries.set(key, { question: { ...question, packet }, rendered, topics, isGood, next: 0, usedAtMs });
    for (const topic of topics) {
      const keys = this.#byTopic.get(topic);
      if (keys === undefined) this.#byTopic.set(topic, new Set([key]));
      else keys.add(key);
    }
    if (this.#entries.size > most) this.#drop(this.#leastUsed());
  }

  /** Of the oldest few the one that was asked for longest ago: as good as all, at the cost of few. */
  #leastUsed(): string {
    let found = '';
    let atMs = Number.POSITIVE_INFINITY;
    let looked = 0;
    for (const [key, { usedAtMs }] of this.#entries) {
      if (usedAtMs < atMs) [found, atMs] = [key, usedAtMs];
      if (++looked === 16) break;
    }
    return found;
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    for (const topic of entry.topics) {
      const keys = this.#byTopic.get(topic);
      keys?.delete(key);
      if (keys?.size === 0) this.#byTopic.delete(topic);
    }
  }
}
