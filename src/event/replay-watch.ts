import { decideRun, NOTHING_HANDED_OVER, type WatchState } from './decide-run.ts';
import { showHandler } from './handler.ts';
import type { Replayed } from './replay-reaction.ts';
import type { WatchDefinition } from './watch.ts';

/** Answers of a service that is up, goes down and comes up, as the API gives them. */
const PASSING = [
  {
    Node: { Node: 'box-1', Address: '192.0.2.1' },
    Service: { ID: 'example', Service: 'example', Tags: [], Address: '192.0.2.1', Port: 1000 },
    Checks: [{ CheckID: 'service:example', Status: 'passing' }],
  },
];

/** Replays a service that goes down and comes up for a watch of it; nothing for watches of other things. Pure. */
export function replayWatch({ query, handler }: WatchDefinition): Replayed[] {
  if (query.type !== 'service') return [];
  let state: WatchState = NOTHING_HANDED_OVER;
  const moments: readonly [string, unknown][] = [
    ['it is up when the agent starts', PASSING],
    ['the agent starts again', PASSING],
    ['it goes down', []],
    ['it comes up', PASSING],
  ];
  return moments.map(([what, rows], at) => {
    const answer = { status: 200, body: JSON.stringify(rows), index: String(at + 1), revision: null };
    const { input, after } = decideRun(query.type, state, answer);
    state = after;
    const run = input === null ? null : showHandler(handler);
    return { atMs: at * 1_000, what, happening: null, handler: run, input: input?.value ?? null };
  });
}
