/**
 * One shortest cycle through the first node of each strongly connected component of a graph, in order of name: enough to name every knot once.
 * A cycle is listed without repeating its beginning; an edge to itself is a cycle of one.
 */
export function findCycles(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  for (const start of [...edges.keys()].toSorted()) {
    if (done.has(start)) continue;
    const cycle = shortestCycle(edges, start);
    if (cycle === undefined) continue;
    cycles.push(cycle);
    const back = reachable(reversed(edges), start);
    for (const node of reachable(edges, start)) if (back.has(node)) done.add(node);
  }
  return cycles;
}

/** Breadth first from the start back to it. */
function shortestCycle(edges: ReadonlyMap<string, readonly string[]>, start: string): string[] | undefined {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (const node of queue) {
    for (const next of edges.get(node) ?? []) {
      if (next === start) return pathTo(cameFrom, start, node);
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, node);
      queue.push(next);
    }
  }
  return undefined;
}

function pathTo(cameFrom: ReadonlyMap<string, string>, start: string, end: string): string[] {
  const path = [end];
  for (let node = end; node !== start;) {
    node = cameFrom.get(node) as string;
    path.unshift(node);
  }
  return path;
}

function reachable(edges: ReadonlyMap<string, readonly string[]>, start: string): Set<string> {
  const found = new Set([start]);
  for (const node of found) for (const next of edges.get(node) ?? []) found.add(next);
  return found;
}

function reversed(edges: ReadonlyMap<string, readonly string[]>): Map<string, string[]> {
  const back = new Map<string, string[]>();
  for (const [from, targets] of edges) for (const to of targets) back.set(to, [...(back.get(to) ?? []), from]);
  return back;
}
