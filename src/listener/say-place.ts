import type { PlaceWait } from './slots/index.ts';

/** Why a run waits for its turn, for people. */
export function sayPlace({ group, ahead }: PlaceWait): string {
  const why = ahead === null ? 'no server can be asked' : `${ahead} ahead`;
  return `waiting for a place in group ${group}: ${why}`;
}
