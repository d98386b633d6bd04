/** Random, seeded and the same everywhere (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const ODD: readonly unknown[] = [
  null,
  true,
  '',
  'a',
  '__proto__',
  'constructor',
  'n1\u0000',
  'ü😀',
  '../..',
  'x'.repeat(20_000),
  0,
  -1,
  0.5,
  1e308,
  Number.MAX_SAFE_INTEGER,
  2 ** 53,
  [],
  {},
  [[[]]],
  { type: 'hello' },
  JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}'),
  Array.from({ length: 500 }, (_, at) => at),
];

/** Messages that are nearly right: templates of which parts were changed, left out or put elsewhere; and texts that are no messages. */
export class FuzzMessages {
  readonly #random: () => number;
  readonly #templates: readonly object[];

  constructor(random: () => number, templates: readonly object[]) {
    this.#random = random;
    this.#templates = templates;
  }

  /** One as it was meant. */
  whole(): object {
    return structuredClone(this.pick(this.#templates));
  }

  /** One with at most three of its parts changed. */
  mutated(): unknown {
    let message: unknown = this.whole();
    for (let changes = Math.floor(this.#random() * 4); changes > 0; changes--) message = this.#mutate(message, 0);
    return message;
  }

  /** As it goes over a wire; one of ten is no JSON. */
  text(): string {
    const text = JSON.stringify(this.mutated()) ?? 'undefined';
    const kind = Math.floor(this.#random() * 30);
    if (kind === 0) return text.slice(0, Math.floor(this.#random() * text.length));
    if (kind === 1) return '['.repeat(5_000);
    if (kind === 2) return text.replace('{', '{"__proto__":{"polluted":true},');
    return text;
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)] as T;
  }

  #mutate(value: unknown, level: number): unknown {
    const isLeaf = value === null || typeof value !== 'object' || Object.keys(value).length === 0;
    if (isLeaf || (level > 0 && this.#random() < 0.2)) return this.pick(ODD);
    const key = this.pick(Object.keys(value));
    const entries = Object.entries(value);
    if (this.#random() < 0.15)
      return rebuilt(
        value,
        entries.filter(([name]) => name !== key),
      );
    return rebuilt(
      value,
      entries.map(([name, part]) => [name, name === key ? this.#mutate(part, level + 1) : part]),
    );
  }
}

function rebuilt(like: object, entries: readonly (readonly [string, unknown])[]): unknown {
  return Array.isArray(like) ? entries.map(([, part]) => part) : Object.fromEntries(entries);
}
