import type { Revision } from '../store/index.ts';

/** A part that has indexes of its topics. */
export interface Indexed {
  index(topic: string): Revision;
}

/** The index of any topic: of the part whose topics begin so, else of `rest`. */
export function indexOf(parts: readonly (readonly [begin: string, part: Indexed])[], rest: Indexed): Indexed['index'] {
  return (topic) => (parts.find(([begin]) => topic.startsWith(begin))?.[1] ?? rest).index(topic);
}
