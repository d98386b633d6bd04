import { badHcl } from './errors.ts';
import type { HclPlace } from './value.ts';

/** The text that is read, how far it is read, and where that is for people. */
export class HclSource {
  readonly text: string;
  at = 0;
  readonly #lineStarts: readonly number[];
  // Of this reader alone: a sticky expression remembers where it stood.
  readonly #name = /[\p{L}_][\p{L}\p{N}_.-]*/uy;
  readonly #number = /-?(?:0x[\da-f]+|\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?![\p{L}\p{N}_.])/iuy;

  constructor(text: string) {
    this.text = text;
    const starts = [0];
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', end + 1)) starts.push(end + 1);
    this.#lineStarts = starts;
  }

  /** The next character; empty at the end. */
  get next(): string {
    return this.text.charAt(this.at);
  }

  /** Passes over blanks, line ends and comments. */
  skipBlanks(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      // A byte order mark counts as a blank: editors leave it at the beginning.
      if (code === 32 || (code >= 9 && code <= 13) || code === 0xfeff) this.at++;
      else if (!this.#skipComment()) return;
    }
  }

  #skipComment(): boolean {
    const two = this.text.slice(this.at, this.at + 2);
    if (two.startsWith('#') || two === '//') {
      const end = this.text.indexOf('\n', this.at);
      this.at = end < 0 ? this.text.length : end + 1;
      return true;
    }
    if (two !== '/*') return false;
    const end = this.text.indexOf('*/', this.at + 2);
    if (end < 0) this.fail('this comment has no end', this.at);
    this.at = end + 2;
    return true;
  }

  /** A word, when one comes next. */
  takeName(): string | undefined {
    return this.#take(this.#name);
  }

  /** A number as it is written, when one comes next. */
  takeNumber(): string | undefined {
    return this.#take(this.#number);
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  placeOf(at: number): HclPlace {
    const starts = this.#lineStarts;
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] as number) <= at) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: at - (starts[low] as number) + 1 };
  }

  /** What stands at a place, short enough for a message. */
  shown(at = this.at): string {
    if (at >= this.text.length) return 'the end of the text';
    const word = /^(?:[\p{L}\p{N}_.-]+|.)/su.exec(this.text.slice(at, at + 24));
    return JSON.stringify(word?.[0] ?? this.text.charAt(at));
  }

  /** @throws LIB_BAD_HCL */
  fail(what: string, at = this.at): never {
    const { line, column } = this.placeOf(at);
    throw badHcl.with({ place: { line, column } }, `${line}:${column}`, what);
  }
}
