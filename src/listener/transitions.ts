import { carryInputs, listenerWants } from '../registry/index.ts';
import type { ListenerInputs, NodeView } from '../registry/index.ts';
import type { Failed, Forced, ListenerState, ProvisionRun, Running, Wanted } from './state.ts';

// Each takes a state and gives the next one. `now` is on the monotonic clock.

/** A view came: what it changes for the run that is under way, or for the last one. */
export function noticed(state: ListenerState, view: NodeView, now: number): ListenerState {
  const { running } = state;
  const next = view.listener;
  const wish = listenerWants(running?.inputs ?? state.done, next);
  const failed = state.failed && stillFailed(state.failed, next);
  const dirty = failed !== null && running === null;
  const causes = dirty ? union(failed.causes, wish.causes) : wish.causes;
  const wanted = wish.wanted || dirty ? changed(state.wanted, next.hash, causes, now) : null;
  if (running !== null) return { ...state, failed, wanted, running: covering(running, view, wish.wanted) };
  return { ...state, failed, wanted, done: carriedDone(state.done, next, wish.wanted) };
}

/** Turned on: one run at once, whatever the hash; off keeps what is wanted. Turning to what it is changes nothing. */
export function turned(state: ListenerState, enabled: boolean): ListenerState {
  if (state.enabled === enabled) return state;
  return enabled ? forcedBy({ ...state, enabled }, { cause: 'listener:on', skipSettle: true }) : { ...state, enabled };
}

/** Somebody asked for a run. Asked twice before it starts, it is one run all the same. */
export function forcedBy(state: ListenerState, forced: Forced): ListenerState {
  const skipSettle = forced.skipSettle || state.forced?.skipSettle === true;
  return { ...state, forced: { cause: forced.cause, skipSettle } };
}

/** A run starts with this view: what is wanted from now on is what comes after it. */
export function started(
  state: ListenerState,
  view: NodeView,
  run: { id: string; wallMs: number },
  now: number,
): ListenerState {
  const { wanted, forced } = state;
  const { hash } = view.listener;
  const causes = union(forced ? [forced.cause] : [], wanted?.causes ?? []);
  const { revision } = view;
  const start = { id: run.id, startedAt: run.wallMs, inputs: view.listener, covers: revision };
  return {
    ...state,
    wanted: null,
    forced: null,
    lastStartAt: now,
    running: { ...start, hash, revision, causes, wanted, forced },
  };
}

/** The run that was to start never did: all is as before. */
export function withdrawn(state: ListenerState): ListenerState {
  const { running } = state;
  if (running === null) return state;
  const wanted =
    state.wanted && running.wanted ? together(running.wanted, state.wanted) : (state.wanted ?? running.wanted);
  return { ...state, running: null, wanted, forced: state.forced ?? running.forced };
}

function together(first: Wanted, last: Wanted): Wanted {
  return { ...last, firstAt: first.firstAt, causes: union(first.causes, last.causes) };
}

const HISTORY = 50;

/** The run ended. `failedAt` is where its back-off counts from. */
export function ended(state: ListenerState, run: ProvisionRun, failedAt: number): ListenerState {
  const { running } = state;
  if (running === null) return state;
  const after = { ...state, running: null, runs: state.runs + 1, history: [run, ...state.history].slice(0, HISTORY) };
  if (run.succeeded) return { ...after, done: running.inputs, failed: null };
  const { inputs } = running;
  const causes = union(running.causes, state.wanted?.causes ?? []);
  // What changed during the run resets the back-off: it may be just what mends it.
  const count = state.wanted === null ? (state.failed?.count ?? 0) + 1 : 0;
  const wanted = state.wanted ?? { hash: running.hash, causes, firstAt: failedAt, lastAt: failedAt };
  return {
    ...after,
    wanted: { ...wanted, causes },
    failed: { inputs, causes, count, at: failedAt, reason: run.result },
  };
}

function stillFailed(failed: Failed, next: ListenerInputs): Failed {
  const reset = listenerWants(failed.inputs, next).wanted;
  return { ...failed, inputs: carryInputs(failed.inputs, next), count: reset ? 0 : failed.count };
}

function changed(before: Wanted | null, hash: string, causes: readonly string[], now: number): Wanted {
  const lastAt = before?.hash === hash ? before.lastAt : now;
  return { hash, causes: [...causes], firstAt: before?.firstAt ?? now, lastAt };
}

function covering(running: Running, view: NodeView, wanted: boolean): Running {
  const inputs = carryInputs(running.inputs, view.listener);
  return { ...running, inputs, covers: wanted ? running.covers : view.revision };
}

function carriedDone(done: ListenerInputs | null, next: ListenerInputs, wanted: boolean): ListenerState['done'] {
  if (done !== null) return carryInputs(done, next);
  return wanted ? null : next;
}

function union(first: readonly string[], second: readonly string[]): string[] {
  return [...new Set([...first, ...second])];
}
