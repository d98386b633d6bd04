import { createHash } from 'node:crypto';

/**
 * The winner of a rendezvous hash over (node, name, instance): every server computes the same one, and one that goes
 * moves only the consumers that had it. `keys` are `<node>/<id>`; undefined for none.
 */
export function chooseInstance(node: string, name: string, keys: readonly string[]): string | undefined {
  let winner: string | undefined;
  let highest = '';
  for (const key of keys) {
    const score = createHash('sha256')
      .update(JSON.stringify([node, name, key]))
      .digest('hex');
    if (winner === undefined || score > highest) [winner, highest] = [key, score];
  }
  return winner;
}
