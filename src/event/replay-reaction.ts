import { formatGoDuration } from '../lib/index.ts';
import { showHandler } from './handler.ts';
import { digestOf, type PassingInstance } from './passing-instances.ts';
import { NEVER_SEEN, nextDeadline, type ReactionState, reactToSight, reactToTime } from './react.ts';
import { reactionCall } from './reaction-call.ts';
import type { Happening, ReactionDefinition } from './reaction.ts';

/** What would happen at one moment. */
export interface Replayed {
  /** ms since the replay began. */
  readonly atMs: number;
  /** `monitoring goes down`. */
  readonly what: string;
  /** What that means for the reaction; null for nothing. */
  readonly happening: Happening | null;
  /** What would run, and its input; null where nothing would. */
  readonly handler: string | null;
  readonly input: unknown;
}

/** A moment after the deadlines, so that each is seen to pass. */
const MOMENT_MS = 1_000;
const START_MS = Date.UTC(2026, 0, 1);

/**
 * Replays a service that goes down, stays away, comes up, is well, goes down again, comes back in time and relapses; with the
 * very decisions that the agent makes, and without running anything. Pure.
 */
export function replayReaction(reaction: ReactionDefinition): Replayed[] {
  const replay = new Replay(reaction);
  const { service, expect, downAfterMs, watchForMs } = reaction;
  replay.see(true, `${service} is up as it was for long`, true);
  replay.see(false, `${service} goes down`);
  replay.pass(downAfterMs + (expect?.withinMs ?? 0) + MOMENT_MS);
  replay.see(true, `${service} comes up on another box`);
  replay.pass((watchForMs ?? 0) + MOMENT_MS);
  replay.see(false, `${service} goes down again`);
  replay.pass(downAfterMs + (expect === null ? MOMENT_MS : expect.withinMs / 2));
  replay.see(true, `${service} comes up in time`);
  replay.pass((watchForMs ?? MOMENT_MS) / 2);
  replay.see(false, `${service} goes down while it is kept an eye on`);
  replay.pass(downAfterMs);
  return replay.moments;
}

class Replay {
  readonly moments: Replayed[] = [];
  readonly #reaction: ReactionDefinition;
  #state: ReactionState = NEVER_SEEN;
  #nowMs = 0;
  #boxes = 0;
  #instances: readonly PassingInstance[] = [];

  constructor(reaction: ReactionDefinition) {
    this.#reaction = reaction;
  }

  /** `settled`: it was so before the replay began. */
  see(isUp: boolean, what: string, settled = false): void {
    this.#instances = isUp ? [instanceOf(this.#reaction, ++this.#boxes)] : [];
    const sight = { instances: digestOf(this.#instances), isExpectedThere: isUp };
    const { state, happenings } = reactToSight(this.#reaction, this.#state, sight, START_MS + this.#nowMs);
    this.#state = settled ? { ...state, watchUntil: null } : state;
    this.#note(what, settled ? [] : happenings);
  }

  /** Lets time pass, deadline by deadline. */
  pass(forMs: number): void {
    const endMs = this.#nowMs + forMs;
    for (;;) {
      const deadline = nextDeadline(this.#state);
      if (deadline === null || deadline - START_MS > endMs) break;
      this.#nowMs = deadline - START_MS;
      const { state, happenings } = reactToTime(this.#reaction, this.#state, deadline);
      this.#state = state;
      for (const happening of happenings) this.#note(this.#sayPassed(happening), [happening]);
    }
    this.#nowMs = endMs;
  }

  #sayPassed(happening: Happening): string {
    const { expect, downAfterMs, watchForMs, service } = this.#reaction;
    if (happening === 'missing')
      return `${expect?.service} is not there ${formatGoDuration(expect?.withinMs ?? 0)} later`;
    if (happening === 'well') return `${service} was well for ${formatGoDuration(watchForMs ?? 0)}`;
    return `${service} was away for ${formatGoDuration(downAfterMs)}`;
  }

  #note(what: string, happenings: readonly Happening[]): void {
    if (happenings.length === 0) this.moments.push(this.#moment(what, null));
    for (const happening of happenings) this.moments.push(this.#moment(what, happening));
  }

  #moment(what: string, happening: Happening | null): Replayed {
    const handler = happening === null ? undefined : this.#reaction.handlers[happening];
    if (happening === null || handler === undefined)
      return { atMs: this.#nowMs, what, happening, handler: null, input: null };
    const act = { happening, atMs: START_MS + this.#nowMs, instances: this.#instances };
    const { input } = reactionCall(this.#reaction, act);
    return { atMs: this.#nowMs, what, happening, handler: showHandler(handler), input: JSON.parse(input) as unknown };
  }
}

/** Addresses and ports of an example (RFC 5737). */
function instanceOf({ service, tags }: ReactionDefinition, box: number): PassingInstance {
  return { node: `box-${box}`, id: service, address: `192.0.2.${box}`, port: 1_000, tags, meta: {} };
}
