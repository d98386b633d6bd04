import { createRequire } from 'node:module';
import type { RE2JS as Re2 } from 're2js';
import { defineError, messageOf } from './errors.ts';

export const badPattern = defineError('LIB_BAD_PATTERN', 400, (why: string) => why, {
  hint: 'regular expressions are those of RE2: without look-around and back-references',
});

/** Characters of an expression, and instructions of its program: a text takes so many steps for each character at most. */
const LONGEST = 4_096;
const LARGEST = 1_000;

/**
 * A regular expression in the notation of RE2, which Go's programs take. It takes time in proportion to the text, whatever
 * the expression is, so it may come from anybody.
 *
 * @example
 * new LinearPattern('^geo-db-(.*)$').groups('geo-db-eu'); // ['geo-db-eu', 'eu']
 */
export class LinearPattern {
  readonly #compiled: Re2;

  /** @throws LIB_BAD_PATTERN with RE2's text */
  constructor(source: string) {
    if (source.length > LONGEST) throw badPattern(`error parsing regexp: longer than ${LONGEST} characters`);
    // The engine is 260 KB: whoever uses no expression, as every start of the agent, does not read it.
    const { RE2JS } = createRequire(import.meta.url)('re2js') as { readonly RE2JS: typeof Re2 };
    try {
      this.#compiled = RE2JS.compile(source);
    } catch (error) {
      throw badPattern.with({ cause: error }, messageOf(error));
    }
    const size = this.#compiled.programSize();
    if (size > LARGEST) throw badPattern(`error parsing regexp: ${size} instructions, at most ${LARGEST} are run`);
  }

  /** Whether it matches anywhere in a text. */
  test(text: string): boolean {
    return this.#compiled.test(text);
  }

  /** The first match and what its groups caught, empty where a group caught nothing; undefined without a match. */
  groups(text: string): readonly string[] | undefined {
    const matcher = this.#compiled.matcher(text);
    if (!matcher.find()) return undefined;
    return Array.from({ length: matcher.groupCount() + 1 }, (_, group) => matcher.group(group) ?? '');
  }
}
