import type { Shared } from '../dns/index.ts';
import { writeShared, type Via } from '../dns/index.ts';
import { foldCase } from '../message/index.ts';
import type { Answer, Ask, QuestionContext, RegionQuestions } from '../link/index.ts';
import type { AppliedChange } from '../registry/index.ts';

/** An agent that is no longer told what changed is told so; it holds fewer answers than this. */
const MOST_TOPICS = 50_000;
const EVERYTHING: readonly string[] = ['*'];

export interface DnsSharesOptions {
  /** The server's own answer, with what it is made of. */
  readonly share: (packet: Uint8Array, via: Via, client: string) => Shared | null;
  /** Says to a node that what it keeps of topics is stale; resolves when it has dropped that, rejects when it is gone. */
  readonly tell: (node: string, topics: readonly string[]) => Promise<unknown>;
  /** Sends the receipt of this server's DNS. */
  readonly applied: (revision: number) => void;
}

/**
 * DNS answers that agents keep. What each was given is remembered, and in the turn in which a change drops this server's own answers
 * those agents are told that follow from the same; the receipt of DNS waits for their word (semantics 6).
 */
export class DnsShares {
  readonly #options: DnsSharesOptions;
  /** Who holds something of a topic. */
  readonly #holders = new Map<string, Set<string>>();
  readonly #held = new Map<string, Set<string>>();
  /** A change is looked at once, whoever hears of it first. */
  readonly #looked = new WeakSet<AppliedChange>();
  /** The last of what is waited for, with all before it; null when nothing is. */
  #open: Promise<void> | null = null;

  constructor(options: DnsSharesOptions) {
    this.#options = options;
  }

  /** Answers the question of a node's DNS. */
  async answer(
    { packet, transport, maxBytes, client }: Ask<RegionQuestions, 'dns'>,
    { from, signal }: QuestionContext,
  ): Promise<Answer<RegionQuestions, 'dns'>> {
    const via = { transport, ...(maxBytes === null ? {} : { maxBytes }) } as const;
    const shared = this.#options.share(Buffer.from(packet, 'base64'), via, client);
    if (shared === null) return { packet: null, shared: null };
    const { rendered, dependsOn } = shared;
    const isNoted = rendered.length > 0 && this.#note(from, dependsOn, signal);
    const octets = await shared.answer;
    return {
      packet: octets === null ? null : Buffer.from(octets).toString('base64'),
      shared: rendered.length === 0 ? null : { answers: rendered.map(writeShared), topics: isNoted ? dependsOn : [] },
    };
  }

  /** A change was applied; tells who holds something that follows from it. */
  apply(change: AppliedChange): void {
    if (this.#looked.has(change)) return;
    const topics = [...change.services].map((name) => `svc/${foldCase(name)}`);
    for (const name of change.nodes) topics.push(`node/${foldCase(name)}`);
    this.#looked.add(change);
    this.#tell(topics);
  }

  /** Whether everybody's DNS has taken a change up by now; else its receipt is sent later. */
  take(change: AppliedChange): 'applied' | null {
    this.apply(change);
    if (this.#open === null) return 'applied';
    void this.#open.then(() => this.#options.applied(change.revision));
    return null;
  }

  /** What DNS may tell, or how, is another: nothing that was given stands. */
  forgetAll(): void {
    const nodes = [...this.#held.keys()];
    this.#holders.clear();
    this.#held.clear();
    this.#wait(nodes.map((node) => this.#options.tell(node, EVERYTHING)));
  }

  /** False where it is too much to remember: then it must not be kept. */
  #note(node: string, topics: readonly string[], signal: AbortSignal): boolean {
    if (topics.length === 0 || signal.aborted) return false;
    let held = this.#held.get(node);
    if (held === undefined) {
      held = new Set();
      this.#held.set(node, held);
      // Another link of the same node keeps nothing of what this one was told.
      const mine = held;
      signal.addEventListener('abort', () => this.#forget(node, mine), { once: true });
    }
    if (held.size + topics.length > MOST_TOPICS) return false;
    for (const topic of topics) {
      held.add(topic);
      const holders = this.#holders.get(topic);
      if (holders === undefined) this.#holders.set(topic, new Set([node]));
      else holders.add(node);
    }
    return true;
  }

  #tell(topics: readonly string[]): void {
    const byNode = new Map<string, string[]>();
    for (const topic of topics) {
      for (const node of this.#holders.get(topic) ?? []) {
        this.#held.get(node)?.delete(topic);
        const told = byNode.get(node);
        if (told === undefined) byNode.set(node, [topic]);
        else told.push(topic);
      }
      this.#holders.delete(topic);
    }
    this.#wait([...byNode].map(([node, stale]) => this.#options.tell(node, stale)));
  }

  /** One that is gone holds nothing up: it keeps nothing as good without a link. */
  #wait(told: readonly Promise<unknown>[]): void {
    if (told.length === 0) return;
    const before = this.#open;
    const open: Promise<void> = Promise.allSettled([...told, before]).then(() => {
      if (this.#open === open) this.#open = null;
    });
    this.#open = open;
  }

  #forget(node: string, held: Set<string>): void {
    if (this.#held.get(node) !== held) return;
    this.#held.delete(node);
    for (const topic of held) {
      const holders = this.#holders.get(topic);
      holders?.delete(node);
      if (holders?.size === 0) this.#holders.delete(topic);
    }
  }
}
