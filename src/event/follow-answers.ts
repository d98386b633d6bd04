import { Backoff, type Clock } from '../lib/index.ts';
import type { ApiAnswer, Ask } from './ask.ts';
import { askFailed } from './errors.ts';

/** Nothing new is said after this long; the server adds up to a sixteenth, and Node's fetch waits 5 min at most. */
const WAIT_MS = 240_000;
/** Between two questions when answers come without having waited, as they must not. */
const PACE_MS = 1_000;
const RETRY_MS = { firstMs: 500, mostMs: 30_000 };

export interface FollowOptions {
  readonly ask: Ask;
  /** Without index and wait; looked at before each question. */
  readonly path: () => string;
  readonly clock: Clock;
  /** The first failure of a series, and null when it is over. */
  readonly onTrouble: (error: unknown) => void;
}

/**
 * Answers to a blocking query, one after the other, until the signal is aborted; never throws. A key that is not there is an
 * answer too (404). After a failure it is asked again, ever later, and from the beginning: nothing that is so is missed.
 */
export async function* followAnswers(options: FollowOptions, signal: AbortSignal): AsyncGenerator<ApiAnswer, void> {
  const { ask, clock, onTrouble } = options;
  const backoff = new Backoff(RETRY_MS);
  let index = '0';
  while (!signal.aborted) {
    const askedMs = clock.now();
    const path = options.path();
    try {
      const answer = await ask(withIndex(path, index), signal);
      if (!isAnswer(answer)) throw askFailed(path, `status ${answer.status}: ${answer.body.trim().slice(0, 200)}`);
      if (backoff.failures > 0) onTrouble(null);
      backoff.reset();
      yield answer;
      const isTooFast = answer.index === index && clock.now() - askedMs < PACE_MS;
      index = nextIndex(index, answer.index, path);
      if (isTooFast || index === '') await clock.sleep(PACE_MS, signal).catch(() => undefined);
    } catch (error) {
      if (signal.aborted) return;
      if (backoff.failures === 0) onTrouble(error);
      index = '0';
      await clock.sleep(backoff.next(), signal).catch(() => undefined);
    }
  }
}

function isAnswer({ status }: ApiAnswer): boolean {
  return status === 200 || status === 404;
}

function withIndex(path: string, index: string): string {
  if (index === '0' || index === '') return path;
  return `${path}${path.includes('?') ? '&' : '?'}index=${index}&wait=${WAIT_MS}ms`;
}

/** An index that goes backwards is of another store: asked from the beginning. That of events is no number that rises. */
function nextIndex(before: string, after: string, path: string): string {
  if (!/^\d{1,20}$/.test(after)) return '';
  if (path.startsWith('/v1/event/')) return after;
  return BigInt(after) < BigInt(before === '' ? '0' : before) ? '0' : after;
}
