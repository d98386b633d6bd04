import { messageOf } from '../lib/index.ts';

/** Whoever greets chooses the name: no more is kept than a region has use for. */
const MOST = 1_000;

/** Says why agents are refused to whoever reads the server's log: once, although they greet again and again. */
export class SaidRefusals {
  readonly #warn: (text: string) => void;
  /** What was said last, by node. */
  readonly #said = new Map<string, string>();

  constructor(warn: (text: string) => void = () => undefined) {
    this.#warn = warn;
  }

  say(node: string, refusal: unknown): void {
    const text = messageOf(refusal);
    if (this.#said.get(node) === text) return;
    if (this.#said.size >= MOST) this.#said.clear();
    this.#said.set(node, text);
    this.#warn(`an agent that greets for node ${JSON.stringify(node)} is refused: ${text}`);
  }

  /** An agent of the node was taken: the next refusal is said again. */
  forget(node: string): void {
    this.#said.delete(node);
  }
}
