import { expect, test } from 'vitest';
import type { CheckDefinition } from '../definition/index.ts';
import { FakeClock, type ProcessResult, TIMING } from '../lib/index.ts';
import type { CheckRecord } from '../registry/index.ts';
import { checkRecordOf } from './check-record.ts';
import { type CheckToRun, HealthChecks, type HealthChecksOptions } from './health-checks.ts';
import { scriptedRun } from './testing.ts';

interface Bench {
  readonly clock: FakeClock;
  readonly checks: HealthChecks;
  readonly told: string[];
}

async function startChecks(
  answers: readonly Partial<ProcessResult>[] = [{ output: 'ok' }],
  part: Partial<HealthChecksOptions> = {},
): Promise<Bench> {
  const clock = new FakeClock();
  const told: string[] = [];
  const checks = await HealthChecks.start({
    clock,
    random: () => 0,
    timing: TIMING.lan,
    scripts: 'allowed',
    environment: {},
    run: scriptedRun(...answers),
    onTransition: ({ id, status, output }) => told.push(`${clock.now()} ${id} ${status} ${output}`),
    ...part,
  });
  return { clock, checks, told };
}

function toRun(definition: CheckDefinition, serviceId = 'web'): CheckToRun {
  return { ...checkRecordOf(definition, { serviceId }, new FakeClock()), definition };
}

const script: CheckDefinition = { args: ['check'], intervalMs: 10_000 };

test('HealthChecks.add() is unknown until the first result, which is told', async () => {
  const { clock, checks, told } = await startChecks();
  expect(checks.add(toRun(script)).status).toBe('unknown');
  await clock.advance(0);
  expect(told).toEqual(['0 service:web passing ok']);
  expect(checks.record('service:web')).toMatchObject({
    status: 'passing',
    output: 'ok',
    since: '2026-01-01T00:00:00.000Z',
  });
});

test('HealthChecks.add() begins with the initial status', async () => {
  const { clock, checks, told } = await startChecks();
  expect(checks.add(toRun({ ...script, initialStatus: 'passing' })).status).toBe('passing');
  await clock.advance(15_000);
  expect(told).toEqual([]);
});

test('HealthChecks.add() adopts what a check was before a restart', async () => {
  const { clock, checks, told } = await startChecks([{ exitCode: 2, output: 'down' }]);
  const previous: CheckRecord = {
    ...checkRecordOf(script, { serviceId: 'web' }),
    status: 'passing',
    output: 'was',
    since: '2025-01-01T00:00:00.000Z',
  };
  expect(checks.add({ ...toRun({ ...script, failuresBeforeCritical: 2 }), previous })).toMatchObject({
    status: 'passing',
    output: 'was',
    since: '2025-01-01T00:00:00.000Z',
  });
  await clock.advance(5_000);
  expect(told).toEqual([]);
  await clock.advance(5_000);
  expect(told).toEqual(['10000 service:web critical down']);
});

test('HealthChecks keeps a change of output to itself', async () => {
  const { clock, checks, told } = await startChecks([{ output: 'one' }, { output: 'two' }]);
  checks.add(toRun(script));
  await clock.advance(15_000);
  expect(told).toEqual(['0 service:web passing one']);
  expect(checks.records()[0]).toMatchObject({ output: 'two', since: '2026-01-01T00:00:00.000Z' });
});

test('HealthChecks.records() are in the order of their ids', async () => {
  const { checks } = await startChecks();
  for (const id of ['b', 'c', 'a']) checks.add(toRun({ ttlMs: 1_000 }, id));
  expect(checks.records().map(({ id }) => id)).toEqual(['service:a', 'service:b', 'service:c']);
});

test('HealthChecks.updateTtl() sets the status at once and bounds the output', async () => {
  const { clock, checks, told } = await startChecks();
  checks.add(toRun({ ttlMs: 10_000 }));
  checks.updateTtl('service:web', 'passing', 'x'.repeat(10_000));
  expect(checks.record('service:web')?.status).toBe('passing');
  expect(checks.record('service:web')?.output.length).toBe(4_096);
  checks.updateTtl('service:web', 'warning', 'hm');
  await clock.advance(10_000);
  expect(told.slice(1)).toEqual([
    '0 service:web warning hm',
    '10000 service:web critical TTL expired (last output before timeout follows): hm',
  ]);
});

test('HealthChecks.updateTtl() refuses what is no TTL check, in the words that clients match', async () => {
  const { checks } = await startChecks();
  checks.add(toRun(script));
  expect(() => checks.updateTtl('nope', 'passing', '')).toThrow('Unknown check ID "nope"');
  expect(() => checks.updateTtl('service:web', 'passing', '')).toThrow('does not have associated TTL');
});

test('HealthChecks.add() refuses a second check of the same id and a check that cannot be', async () => {
  const { checks } = await startChecks();
  checks.add(toRun(script));
  expect(() => checks.add(toRun(script))).toThrow('already exists');
  expect(() => checks.add({ ...toRun(script, 'other'), definition: {} })).toThrow('Invalid check');
  expect(checks.records()).toHaveLength(1);
});

test.each([
  ['allowed', 'remote', null],
  ['local', 'local', null],
  ['local', 'remote', 'Scripts are disabled on this agent from remote calls'],
  ['refused', 'local', 'Scripts are disabled on this agent; to enable'],
  ['refused', 'remote', 'Scripts are disabled on this agent; to enable'],
] as const)('HealthChecks.add() with scripts %s takes one from %s: %s', async (scripts, origin, why) => {
  const { checks } = await startChecks([{}], { scripts });
  const add = (): CheckRecord => checks.add({ ...toRun(script), origin });
  if (why === null) expect(add().type).toBe('script');
  else expect(add).toThrow(why);
  expect(checks.add({ ...toRun({ ttlMs: 1 }, 'ttl'), origin }).type).toBe('ttl');
});

test('HealthChecks.remove() ends a check', async () => {
  const { clock, checks, told } = await startChecks();
  checks.add(toRun(script));
  expect(checks.remove('service:web')).toBe(true);
  expect(checks.remove('service:web')).toBe(false);
  await clock.advance(60_000);
  expect(told).toEqual([]);
  expect(checks.records()).toEqual([]);
});

test('HealthChecks.replace() by the same definition goes on as before, with the new names', async () => {
  const run = scriptedRun({ output: 'ok' });
  const { clock, checks } = await startChecks([], { run });
  checks.add(toRun(script));
  await clock.advance(4_000);
  expect(checks.replace({ ...toRun(script), notes: 'new' })).toMatchObject({
    status: 'passing',
    notes: 'new',
    output: 'ok',
  });
  await clock.advance(4_000);
  expect(run.runs).toHaveLength(1);
});

test('HealthChecks.replace() by another definition keeps the status until its first result', async () => {
  const { clock, checks, told } = await startChecks([{ output: 'ok' }, { exitCode: 2, output: 'new' }]);
  checks.add(toRun(script));
  await clock.advance(4_000);
  expect(checks.replace(toRun({ ...script, intervalMs: 20_000 }))).toMatchObject({
    status: 'passing',
    interval: '20s',
  });
  await clock.advance(1_000);
  expect(told).toEqual(['0 service:web passing ok', '4000 service:web critical new']);
});

test('HealthChecks.replace() by another kind of check begins anew, and adds what was not there', async () => {
  const { clock, checks } = await startChecks();
  expect(checks.replace(toRun(script)).status).toBe('unknown');
  await clock.advance(1_000);
  expect(checks.replace(toRun({ ttlMs: 5_000 }))).toMatchObject({ status: 'unknown', type: 'ttl', output: '' });
});

test('HealthChecks.replace() by a check that cannot be leaves the old one', async () => {
  const { clock, checks } = await startChecks();
  checks.add(toRun(script));
  await clock.advance(1_000);
  expect(() => checks.replace({ ...toRun(script), definition: { tcp: 'nowhere' } })).toThrow('Invalid check');
  expect(checks.record('service:web')).toMatchObject({ type: 'script', status: 'passing' });
});

test('HealthChecks reports a service that is critical for too long', async () => {
  const reports: string[] = [];
  const { clock, checks } = await startChecks([{ exitCode: 2 }], {
    onCriticalTooLong: ({ serviceId, checkId }) => reports.push(`${serviceId} ${checkId}`),
    leastCriticalMs: 1_000,
  });
  checks.add(toRun({ ...script, deregisterCriticalServiceAfterMs: 2_000 }));
  await clock.advance(1_999);
  expect(reports).toEqual([]);
  await clock.advance(1);
  expect(reports).toEqual(['web service:web']);
  checks.remove('service:web');
  await clock.advance(60_000);
  expect(reports).toHaveLength(1);
});

test('HealthChecks goes on when a listener throws, and says so', async () => {
  const errors: unknown[] = [];
  const { clock, checks } = await startChecks([{}, { exitCode: 2 }], {
    onTransition: () => {
      throw new Error('listener');
    },
    onError: (error) => errors.push(error),
  });
  checks.add(toRun(script));
  await clock.advance(15_000);
  expect(errors).toHaveLength(2);
  expect(checks.record('service:web')?.status).toBe('critical');
});

test('HealthChecks never has more scripts beginning at once than it may', async () => {
  const clock = new FakeClock();
  let working = 0;
  let most = 0;
  const run = async (): Promise<ProcessResult> => {
    most = Math.max(most, ++working);
    await clock.sleep(100);
    working--;
    return scriptedRun({})({ env: {}, timeoutMs: 1 });
  };
  const { checks, told } = await startChecks([], { clock, run, scriptsAtOnce: 32 });
  for (let i = 0; i < 200; i++) checks.add(toRun(script, `web-${i}`));
  await clock.advance(1_000);
  expect(most).toBe(32);
  expect(told).toHaveLength(200);
});

test('HealthChecks leaves no timer when disposed', async () => {
  const { clock, checks, told } = await startChecks([{ exitCode: 2 }]);
  checks.add(toRun({ ...script, deregisterCriticalServiceAfterMs: 60_000 }));
  checks.add(toRun({ ttlMs: 1_000 }, 'ttl'));
  await clock.advance(100);
  await checks[Symbol.asyncDispose]();
  expect(clock.pending).toBe(0);
  await clock.advance(60_000);
  expect(told).toHaveLength(1);
});

test.each(['refused', 'local'] as const)(
  'HealthChecks.vet() takes no command in a container with %s',
  async (scripts) => {
    const { checks } = await startChecks([], { scripts });
    const definition = { dockerContainerId: 'c', args: ['true'], intervalMs: 10_000 };
    expect(() => checks.vet({ definition, origin: 'remote' })).toThrow('Scripts are disabled on this agent');
    expect(() => checks.vet({ definition: { osService: 'ssh' }, origin: 'remote' })).not.toThrow();
  },
);

test('HealthChecks tells of an alias as its target changes, until it is removed', async () => {
  let target: CheckRecord['status'] = 'passing';
  const listeners = new Set<() => void>();
  const targets = {
    node: 'n1',
    checksOf: () => [{ ...checkRecordOf({ tcp: 'a:1' }, { serviceId: 'db' }), status: target }],
    onChange: (_target: unknown, listen: () => void) => {
      listeners.add(listen);
      return () => void listeners.delete(listen);
    },
  };
  const reports: string[] = [];
  const { clock, checks, told } = await startChecks([], {
    targets,
    onCriticalTooLong: ({ serviceId }) => reports.push(serviceId),
  });
  const becomes = (status: CheckRecord['status']): void => {
    target = status;
    for (const listen of listeners) listen();
  };
  checks.add(toRun({ aliasService: 'db', deregisterCriticalServiceAfterMs: 1 }));
  await clock.advance(5_000);
  becomes('critical');
  await clock.advance(59_999);
  expect(reports).toEqual([]);
  await clock.advance(1);
  expect(reports).toEqual(['web']);
  becomes('passing');
  await clock.advance(1);
  expect(told.map((one) => one.split(' ')[2])).toEqual(['passing', 'critical', 'passing']);
  expect(checks.record('service:web')).toMatchObject({ type: 'alias', interval: '', output: 'All checks passing.' });
  checks.remove('service:web');
  expect(listeners.size).toBe(0);
});

test('HealthChecks without targets has aliases critical', async () => {
  const { clock, checks } = await startChecks();
  checks.add(toRun({ aliasService: 'db', aliasNode: 'n2' }));
  await clock.advance(0);
  expect(checks.record('service:web')?.output).toBe('Service db could not be found on node n2');
});
