import { shuffle } from '../lib/index.ts';

/**
 * Items in the order that RFC 2782 gives records of one priority: each place goes to one of those left with a chance in
 * proportion to its weight (weights are positive). Drawn at once with exponential keys instead of place by place.
 */
export function shuffleByWeight<T extends { readonly weight: number }>(items: T[], random: () => number): T[] {
  const first = items[0]?.weight;
  if (items.every((item) => item.weight === first)) return shuffle(items, random);
  return items
    .map((item) => ({ item, key: -Math.log(1 - random()) / item.weight }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ item }) => item);
}
