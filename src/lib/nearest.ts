/**
 * The candidate that a person most likely meant by `word`: least Damerau-Levenshtein distance without regard to case,
 * at most a third of the word's length (at least one edit); undefined when none is near enough.
 *
 * @example
 * nearest('enviroment', ['environment', 'requires']); // 'environment'
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase().slice(0, LONGEST);
  let best: string | undefined;
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  let left = MOST_CANDIDATES;
  for (const candidate of candidates) {
    if (left-- === 0) break;
    const length = Math.min(candidate.length, LONGEST);
    if (Math.abs(length - wanted.length) >= least) continue;
    const distance = editDistance(wanted, candidate.toLowerCase().slice(0, LONGEST));
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

/** Longer words are compared by their beginning only, so that hostile input costs little. */
const LONGEST = 64;
/** A guess is a courtesy: among a hundred thousand names it would hold up everything else for a second. */
const MOST_CANDIDATES = 2_000;

/** Edits (insert, delete, replace, swap of neighbours) from one text to the other: the optimal string alignment distance. */
export function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1] ? 0 : 1;
      let cost = Math.min((last[j] as number) + 1, (row[j - 1] as number) + 1, (last[j - 1] as number) + same);
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      if (swapped) cost = Math.min(cost, (beforeLast[j - 2] as number) + 1);
      row.push(cost);
    }
    [beforeLast, last] = [last, row];
  }
  return last[to.length] as number;
}
