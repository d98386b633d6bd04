import type { WireListener } from '../../client/src/index.ts';
import { sayDuration } from '../lib/index.ts';
import { count, sayTime } from './say-time.ts';

/** A listener's state for people. */
export function listenerLines(status: WireListener, nowMs: number): string[] {
  const doing = status.running ? 'a provision runs' : 'no provision runs';
  const head = `the listener is ${status.enabled ? 'on' : 'off'}; ${doing}; ${count(status.runs, 'run')} so far`;
  return [head, ...queuedLines(status, nowMs), lastLine(status.last, nowMs)];
}

/** Why a queued run does not start, in people's words; null when nothing is in its way. */
export function sayHeld({ held, retryAt }: Pick<WireListener, 'held' | 'retryAt'>, nowMs: number): string | null {
  if (held === null) return null;
  const until = retryAt === null ? '' : `, until ${sayTime(retryAt, nowMs)}`;
  return `${WHY.get(held) ?? `it waits: ${held}`}${until}`;
}

const WHY: ReadonlyMap<string, string> = new Map([
  ['off', 'the listener is off'],
  ['settle', 'it waits for changes to settle'],
  ['interval', 'it waits, because one has just run'],
  ['backoff', 'it waits, because the last one failed'],
]);

function queuedLines(status: WireListener, nowMs: number): string[] {
  if (!status.queued) return [];
  const held = sayHeld(status, nowMs);
  return [`one is queued because of ${status.causes.join(', ')}${held === null ? '' : `; ${held}`}`];
}

function lastLine(last: WireListener['last'], nowMs: number): string {
  if (last === null) return 'it has not provisioned yet';
  const { startedAt, endedAt, exitCode, result, causes } = last;
  const took = sayDuration(Math.max(0, Date.parse(endedAt) - Date.parse(startedAt)));
  const how = exitCode === 0 ? 'succeeded' : `failed: ${result}`;
  return `the last one ${how} at ${sayTime(endedAt, nowMs)} after ${took}, because of ${causes.join(', ') || 'nothing'}`;
}
