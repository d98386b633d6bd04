import { expect, test } from 'vitest';
import { systemClock } from '../lib/index.ts';
import { foreignLocksOf, LISTENER_KINDS } from './kinds.ts';
import type { ListenerOptions } from './listener.ts';
import { momentOf } from './saved-state.ts';
import { locksOf, settingsOf } from './settings.ts';
import { INITIAL_STATE, mapMoments, parseState } from './state.ts';
import type { ListenerState } from './state.ts';
import { inputsOf, viewOf } from './testing.ts';
import { forcedBy, noticed, started } from './transitions.ts';

const view = viewOf(1, { assigned: { api: 'a' } });

/** Every part of the state is set. */
function fullState(): ListenerState {
  const wanting = forcedBy(noticed(INITIAL_STATE, view, 5), { cause: 'provision', skipSettle: true });
  const running = started(wanting, view, { id: 'x', wallMs: 7 }, 10);
  const next = noticed(running, viewOf(2, { assigned: { api: 'b' } }), 20);
  return { ...next, failed: { inputs: inputsOf({}), causes: [], count: 1, at: 30, reason: 'exit 3' } };
}

test('parseState() reads back what was written, and throws on anything else', () => {
  expect(parseState(structuredClone(fullState()))).toEqual(fullState());
  expect(parseState(structuredClone(INITIAL_STATE))).toEqual(INITIAL_STATE);
  for (const bad of [null, {}, { ...INITIAL_STATE, version: 2 }, { ...INITIAL_STATE, runs: 'many' }])
    expect(() => parseState(bad)).toThrow();
});

test('mapMoments() translates every moment and no wall time', () => {
  const later = mapMoments(fullState(), (moment) => moment + 1_000);
  expect(later.wanted).toMatchObject({ firstAt: 1_020, lastAt: 1_020 });
  expect(later.running).toMatchObject({ startedAt: 7, wanted: { firstAt: 1_005, lastAt: 1_005 } });
  expect(later.failed?.at).toBe(1_030);
  expect(later.lastStartAt).toBe(1_010);
  expect(mapMoments(later, (moment) => moment - 1_000)).toEqual(fullState());
});

test('momentOf() goes by age, and takes what a clock that was set back calls the future as now', () => {
  const clock = { ...systemClock, now: () => 100, wall: () => 50_000 };
  expect(momentOf(49_000, clock)).toBe(-900);
  expect(momentOf(60_000, clock)).toBe(100);
});

const options = (more: Partial<ListenerOptions>): ListenerOptions =>
  ({
    stateDirectory: '/state',
    kind: 'command',
    command: null,
    env: {},
    clock: systemClock,
    ...more,
  }) as ListenerOptions;

test('settingsOf() takes a shell line, a list, or what the kind has', () => {
  expect(settingsOf(options({ command: 'a && b' })).command).toEqual(['/bin/sh', '-c', 'a && b']);
  expect(settingsOf(options({ command: ['chef-solo', '-j', 'dna.json'] })).command).toEqual([
    'chef-solo',
    '-j',
    'dna.json',
  ]);
  expect(settingsOf(options({ kind: 'chef' })).command).toEqual(['chef-solo']);
  expect(settingsOf(options({ kind: 'puppet' })).success).toEqual([0, 2]);
  expect(settingsOf(options({ kind: 'ansible' })).command).toEqual([]);
});

test.each(['', '  \n', ['', 'x']])('settingsOf() refuses the command %j', (command) => {
  expect(() => settingsOf(options({ command }))).toThrow(expect.objectContaining({ code: 'LISTENER_BAD_COMMAND' }));
});

test('locksOf() is the own lock and those of the kind, or the ones that were named', () => {
  const own = { file: '/state/provision.lock', held: 'flock' };
  expect(locksOf(options({ kind: 'chef' }))).toEqual([own, ...LISTENER_KINDS.chef.locks]);
  expect(locksOf(options({ kind: 'chef', locks: [] }))).toEqual([own]);
});

test('foreignLocksOf() takes a named file for the kind of lock that its tool has', () => {
  expect(foreignLocksOf('puppet', null)).toBe(LISTENER_KINDS.puppet.locks);
  expect(foreignLocksOf('puppet', '/x')).toEqual([{ file: '/x', held: 'pid' }]);
  expect(foreignLocksOf('chef', '/x')).toEqual([{ file: '/x', held: 'flock' }]);
  expect(foreignLocksOf('command', '/x')).toEqual([{ file: '/x', held: 'either' }]);
});
