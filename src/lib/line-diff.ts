/** One line of a difference: it is in both texts, only in the one before, or only in the one after. */
export interface DiffLine {
  readonly sign: ' ' | '-' | '+';
  readonly text: string;
}

/** Beyond so many pairs of lines the two are shown one after the other. */
const MOST_PAIRS = 4_000_000;

/** The fewest lines that lead from one text to another, all lines of both in order. Pure. */
export function lineDiff(before: string, after: string): DiffLine[] {
  const [old, young] = [linesOf(before), linesOf(after)];
  let head = 0;
  while (head < old.length && head < young.length && old[head] === young[head]) head++;
  let tail = 0;
  const most = Math.min(old.length, young.length) - head;
  while (tail < most && old[old.length - 1 - tail] === young[young.length - 1 - tail]) tail++;
  const middle = middleDiff(old.slice(head, old.length - tail), young.slice(head, young.length - tail));
  return [...signed(' ', old.slice(0, head)), ...middle, ...signed(' ', old.slice(old.length - tail))];
}

function middleDiff(old: readonly string[], young: readonly string[]): DiffLine[] {
  if (old.length * young.length > MOST_PAIRS) return [...signed('-', old), ...signed('+', young)];
  const common = commonLengths(old, young);
  const width = young.length + 1;
  const lines: DiffLine[] = [];
  let [at, to] = [0, 0];
  while (at < old.length || to < young.length) {
    const isBoth = at < old.length && to < young.length && old[at] === young[to];
    const dropped = (common[(at + 1) * width + to] ?? -1) >= (common[at * width + to + 1] ?? -1);
    if (isBoth) {
      lines.push({ sign: ' ', text: old[at] as string });
      at++;
      to++;
    } else if (at < old.length && (to >= young.length || dropped)) {
      lines.push({ sign: '-', text: old[at++] as string });
    } else lines.push({ sign: '+', text: young[to++] as string });
  }
  return lines;
}

/** At `i * (young + 1) + j`: how many lines `old` from i and `young` from j have in common, in order. */
function commonLengths(old: readonly string[], young: readonly string[]): Uint32Array {
  const width = young.length + 1;
  const common = new Uint32Array((old.length + 1) * width);
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = young.length - 1; j >= 0; j--) {
      const [next, down, right] = [
        common[(i + 1) * width + j + 1],
        common[(i + 1) * width + j],
        common[i * width + j + 1],
      ];
      common[i * width + j] = old[i] === young[j] ? (next ?? 0) + 1 : Math.max(down ?? 0, right ?? 0);
    }
  }
  return common;
}

function signed(sign: DiffLine['sign'], lines: readonly string[]): DiffLine[] {
  return lines.map((text) => ({ sign, text }));
}

/** A newline at the end ends the last line; it begins none. */
function linesOf(text: string): string[] {
  if (text === '') return [];
  return (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
}
