import { messageOf, shuffle, Slots } from '../../lib/index.ts';
import { verdictOf, type Findings, type Found, type ProbeTarget, type Verdict } from './findings.ts';
import type { TcpProbe } from './tcp-probe.ts';

/** Asks another node to probe; the answers are in the order of the targets. @throws when none comes soon after `timeoutMs` */
export type AskWitness = (
  node: string,
  targets: readonly ProbeTarget[],
  timeoutMs: number,
) => Promise<readonly Found[]>;

export interface ProberOptions {
  readonly probe: TcpProbe;
  readonly ask: AskWitness;
  /** Nodes that can be asked about another one. */
  readonly witnesses: (about: string) => readonly string[];
  readonly random: () => number;
  readonly debug: (text: string) => void;
}

/** What one look at a node came to. */
export interface Round {
  readonly findings: Findings;
  /** False where others were asked and not one had a word, about instances that this server itself does not reach. */
  readonly isHeard: boolean;
}

/** So many connections are tried at the same time by one server. */
const AT_ONCE = 256;
const WITNESSES = 2;

/** Looks whether instances of a node answer: from here, and from other nodes at the same time. */
export class Prober {
  readonly #options: ProberOptions;
  readonly #slots = new Slots(AT_ONCE);

  constructor(options: ProberOptions) {
    this.#options = options;
  }

  /** Never rejects; resolves within about `timeoutMs`, later only where very many are probed. */
  async look(node: string, targets: readonly ProbeTarget[], timeoutMs: number): Promise<Round> {
    if (targets.length === 0) return { findings: new Map(), isHeard: true };
    const witnesses = this.#choose(node);
    const asked = this.#askOthers(witnesses, targets, timeoutMs);
    const own = await Promise.all(targets.map((target) => this.#probe(target, timeoutMs)));
    // Whoever answers here lives: nobody else's word is waited for.
    const others = own.every((found) => found === 'accepts') ? [] : await asked;
    const findings = new Map(
      targets.map(({ id }, at): [string, Verdict] => {
        const words = others.map((found) => found[at]).filter((found) => found !== undefined);
        return [id, verdictOf(own[at] as Found, words)];
      }),
    );
    const isUnseen = findings.values().some((verdict) => verdict === 'unseen');
    return { findings, isHeard: !isUnseen || witnesses.length === 0 };
  }

  #choose(about: string): readonly string[] {
    const { witnesses, random } = this.#options;
    return shuffle([...witnesses(about)], random).slice(0, WITNESSES);
  }

  async #probe(target: ProbeTarget, timeoutMs: number): Promise<Found> {
    const giveBack = await this.#slots.take();
    try {
      return await this.#options.probe(target, timeoutMs);
    } finally {
      giveBack();
    }
  }

  async #askOthers(
    chosen: readonly string[],
    targets: readonly ProbeTarget[],
    timeoutMs: number,
  ): Promise<readonly (readonly Found[])[]> {
    const words = await Promise.all(chosen.map((one) => this.#ask(one, targets, timeoutMs)));
    return words.filter((found) => found !== null);
  }

  /** null: it had nothing to say. */
  async #ask(witness: string, targets: readonly ProbeTarget[], timeoutMs: number): Promise<readonly Found[] | null> {
    try {
      const found = await this.#options.ask(witness, targets, timeoutMs);
      return found.length === targets.length ? found : null;
    } catch (error) {
      this.#options.debug(`${witness} could not probe: ${messageOf(error)}`);
      return null;
    }
  }
}
