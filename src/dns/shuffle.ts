/** Puts items in random order, in place (Fisher-Yates). `random` gives numbers in [0, 1). */
export function shuffle<T>(items: T[], random: () => number): T[] {
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    const moved = items[last] as T;
    items[last] = items[other] as T;
    items[other] = moved;
  }
  return items;
}

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
