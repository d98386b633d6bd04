import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import type { CheckRecord, CheckStatus } from '../registry/index.ts';
import { checkRecordOf } from './check-record.ts';
import { TransitionGate } from './transition-gate.ts';

interface Sent {
  readonly id: string;
  readonly status: CheckStatus;
  readonly at: number;
}

function startGate(dampingMs = 1_000): {
  clock: FakeClock;
  gate: TransitionGate;
  sent: Sent[];
  offer: (id: string, status: CheckStatus, output?: string) => void;
} {
  const clock = new FakeClock();
  const sent: Sent[] = [];
  const send = ({ id, status }: CheckRecord): void => void sent.push({ id, status, at: clock.now() });
  const gate = new TransitionGate({ clock, dampingMs, send });
  const offer = (id: string, status: CheckStatus, output = ''): void =>
    gate.offer({ ...checkRecordOf({ tcp: 'a:1', id }, {}, clock), status, output });
  return { clock, gate, sent, offer };
}

const shown = (sent: readonly Sent[]): string[] => sent.map(({ id, status, at }) => `${at} ${id} ${status}`);

test('TransitionGate.offer() sends the first changes at once', () => {
  const { gate, sent, offer } = startGate();
  gate.admit('a', 'unknown');
  offer('a', 'passing');
  offer('a', 'critical');
  offer('a', 'passing');
  expect(shown(sent)).toEqual(['0 a passing', '0 a critical', '0 a passing']);
});

test('TransitionGate.offer() sends nothing that was sent already or is not known', () => {
  const { gate, sent, offer } = startGate();
  gate.admit('a', 'passing');
  offer('a', 'passing', 'other output');
  offer('stranger', 'critical');
  expect(sent).toEqual([]);
});

test('TransitionGate lets a flapping check through once per damping time, and the last state wins', async () => {
  const { clock, gate, sent, offer } = startGate();
  gate.admit('a', 'passing');
  for (let i = 0; i < 100; i++) {
    offer('a', i % 2 === 0 ? 'critical' : 'passing');
    await clock.advance(99);
  }
  offer('a', 'critical');
  await clock.advance(10_000);
  expect(sent.length).toBeLessThanOrEqual(3 + 11);
  expect(sent.at(-1)?.status).toBe('critical');
});

test('TransitionGate sends nothing of a waiting change when the check is back at what was sent', async () => {
  const { clock, gate, sent, offer } = startGate();
  gate.admit('a', 'passing');
  for (const status of ['critical', 'passing', 'critical', 'passing', 'critical'] as const) offer('a', status);
  await clock.advance(10_000);
  expect(shown(sent)).toEqual(['0 a critical', '0 a passing', '0 a critical']);
});

test('TransitionGate sends the critical first when many wait', async () => {
  const { clock, gate, sent, offer } = startGate();
  const ids = Array.from({ length: 60 }, (_, i) => `c${i}`);
  for (const id of ids) gate.admit(id, 'unknown');
  // The node's allowance is used up…
  for (const id of ids) offer(id, 'warning');
  expect(sent).toHaveLength(60);
  offer('c1', 'passing');
  offer('c2', 'passing');
  offer('c3', 'critical');
  // …which holds up all but the critical one.
  expect(shown(sent.slice(60))).toEqual(['0 c3 critical']);
  await clock.advance(1_000);
  expect(sent.slice(61).map(({ id }) => id)).toEqual(['c1', 'c2']);
});

test('TransitionGate lets every check of a node change at once', () => {
  const { gate, sent, offer } = startGate();
  for (let i = 0; i < 1_000; i++) gate.admit(`c${i}`, 'unknown');
  for (let i = 0; i < 1_000; i++) offer(`c${i}`, 'passing');
  expect(sent).toHaveLength(1_000);
});

test('TransitionGate lets no more than ten changes a second of a node through when its checks go on flapping', async () => {
  const { clock, gate, sent, offer } = startGate();
  const ids = Array.from({ length: 100 }, (_, i) => `c${i}`);
  for (const id of ids) gate.admit(id, 'passing');
  for (let turn = 0; turn < 100; turn++) {
    for (const id of ids) offer(id, turn % 2 === 0 ? 'warning' : 'passing');
    await clock.advance(100);
  }
  expect(sent.length).toBeLessThanOrEqual(ids.length + 10 * 10 + 1);
  expect(sent.length).toBeGreaterThan(ids.length);
});

test('TransitionGate.forget() drops what waits', async () => {
  const { clock, gate, sent, offer } = startGate();
  gate.admit('a', 'passing');
  for (const status of ['critical', 'passing', 'critical', 'passing'] as const) offer('a', status);
  gate.forget('a');
  await clock.advance(10_000);
  expect(sent).toHaveLength(3);
  gate.close();
  expect(clock.pending).toBe(0);
});

test('TransitionGate always ends with the last state sent, and never sends the same twice running', async () => {
  const status = fc.constantFrom<CheckStatus>('passing', 'warning', 'critical');
  const step = fc.record({ id: fc.constantFrom('a', 'b', 'c'), status, waitMs: fc.nat(700) });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const { clock, gate, sent, offer } = startGate();
      const now = new Map<string, CheckStatus>();
      for (const id of ['a', 'b', 'c']) gate.admit(id, 'unknown');
      for (const { id, status: next, waitMs } of steps) {
        offer(id, next);
        now.set(id, next);
        await clock.advance(waitMs);
      }
      await clock.advance(20_000);
      for (const id of ['a', 'b', 'c']) {
        const own = sent.filter((one) => one.id === id).map((one) => one.status);
        expect(own.at(-1) ?? 'unknown').toBe(now.get(id) ?? own.at(-1) ?? 'unknown');
        expect(own.some((one, i) => i > 0 && one === own[i - 1])).toBe(false);
      }
    }),
    { numRuns: 15 },
  );
});
