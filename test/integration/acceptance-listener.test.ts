import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { runProgram, signal } from './acceptance-processes.ts';
import { until } from '../until.ts';
import { PROVISION, startRegion } from './acceptance-region.ts';
import type { NodeName, ProvisionLine, TestRegion } from './acceptance-region.ts';

const CHANGES = 1_000;
/** By then a provision that is due with these timings has begun, also on a busy machine. */
const QUIET_MS = 1_200;
const REQUIRING = ['api-1', 'api-2', 'staging'] as const;

let region: TestRegion;
let values = 0;
beforeAll(async () => {
  region = await startRegion();
});
afterAll(() => region?.[Symbol.asyncDispose]());
afterEach(() => expectNoOverlap(region.provisionLines()));

const nextValue = (): string => `mysql://user:new@db${++values}/app`;
const linesNow = (): number => region.provisionLines().length;

/** Waits until everything is at rest, and a while longer for what should not come. */
async function untilQuiet(): Promise<void> {
  await region.untilAtRest();
  await sleep(QUIET_MS);
  await region.untilAtRest();
}

function expectNoOverlap(lines: readonly ProvisionLine[]): void {
  const running = new Map<string, number>();
  for (const { node, event, pid } of lines) {
    if (event === 'start') {
      expect(running.get(node), `pid ${pid} started on ${node} while another ran`).toBeUndefined();
      running.set(node, pid);
    } else if (running.get(node) === pid) running.delete(node);
  }
}

/** Every start since then on the node; each saw what its files and its view had. */
function runsOf(lines: number, node: NodeName): ProvisionLine[] {
  return region.startsSince(lines, node).filter((line) => line.from === 'listener');
}

test('a changed datastore provisions the nodes that require it exactly once and no other', async () => {
  const before = linesNow();
  const value = nextValue();
  const revision = await region.setDatabase(value);
  await region.arrived(revision);
  await untilQuiet();
  for (const node of REQUIRING) {
    const runs = runsOf(before, node);
    expect(runs, node).toHaveLength(1);
    expect(runs[0]).toMatchObject({ revision, database: value });
    expect(runs[0]?.files).toContain(value);
    const service = node === 'staging' ? 'app-www' : 'api';
    expect(runs[0]?.causes).toEqual([`environment of ${service}`]);
  }
  expect(runsOf(before, 'spare')).toEqual([]);
  expect(await region.listener('api-1')).toMatchObject({ running: false, queued: false, last: { exitCode: 0 } });
});

test('the same value again, and a restart of the agent, provision nobody', async () => {
  const before = linesNow();
  await region.setDatabase(`mysql://user:new@db${values}/app`);
  await region.killAgent();
  await region.startAgent();
  await region.untilHealthy();
  await untilQuiet();
  expect(region.provisionLines().slice(before)).toEqual([]);
});

test(`${CHANGES} changes in a second give one or two runs, the last of which starts after the last change and sees it`, async () => {
  // As long as all the changes take, on however busy a machine; real ones take minutes.
  for (const node of REQUIRING) await region.tellProvision(node, { takesMs: 60_000 });
  const before = linesNow();
  const all = Array.from({ length: CHANGES }, nextValue);
  const last = all.pop() as string;
  await Promise.all(Array.from({ length: 50 }, () => setUntilNoneIsLeft(all)));
  const revision = await region.setDatabase(last);
  const changedAt = Date.now();
  await until('every node knows it', async () => (await region.client.trace(revision)).arrived >= REQUIRING.length);
  await sleep(QUIET_MS);
  for (const node of REQUIRING) await region.tellProvision(node, {});
  for (const { pid } of region.startsSince(before)) signal(pid, 'SIGUSR1');
  await until('the last run of each began', () =>
    REQUIRING.every((node) => runsOf(before, node).some((run) => run.database === last)),
  );
  await untilQuiet();
  for (const node of REQUIRING) {
    const runs = runsOf(before, node);
    expect(runs.length, JSON.stringify(runs)).toBeLessThanOrEqual(2);
    expect(runs.at(-1)).toMatchObject({ database: last });
    expect(runs.at(-1)?.files).toContain(last);
    // The answer to the last change came a little after its commit.
    expect(runs.at(-1)?.at).toBeGreaterThan(changedAt - 500);
  }
  expect(runsOf(before, 'spare')).toEqual([]);
});

async function setUntilNoneIsLeft(all: string[]): Promise<void> {
  for (let value = all.shift(); value !== undefined; value = all.shift()) await region.setDatabase(value);
}

test('off, change, on gives one run', async () => {
  expect((await region.drover('listener:off', '--node', 'api-1')).code).toBe(0);
  const before = linesNow();
  await region.setDatabase(nextValue());
  const value = nextValue();
  const revision = await region.setDatabase(value);
  await until('the others ran', () => runsOf(before, 'api-2').some((run) => run.database === value));
  await sleep(QUIET_MS);
  expect(runsOf(before, 'api-1')).toEqual([]);
  const held = (await region.client.trace(revision)).consumers.filter((one) => one.state !== 'arrived');
  expect(held).toMatchObject([{ node: 'api-1', kind: 'listener', state: 'held' }]);
  expect(await region.listener('api-1')).toMatchObject({ enabled: false, running: false, queued: true });
  expect((await region.drover('listener:on', '--node', 'api-1')).code).toBe(0);
  await untilQuiet();
  expect(runsOf(before, 'api-1')).toMatchObject([{ database: value }]);
  await region.arrived(revision);
});

test('kill -9 of the agent between "changed" and "provisioned" does not lose the run', async () => {
  const before = linesNow();
  const value = nextValue();
  const hold = await holdLock('api-1');
  await region.setDatabase(value);
  await region.killAgent();
  await hold.release();
  expect(runsOf(before, 'api-1')).toEqual([]);
  await region.startAgent();
  await until('api-1 was provisioned', () => runsOf(before, 'api-1').length > 0);
  await untilQuiet();
  for (const node of REQUIRING) expect(runsOf(before, node), node).toMatchObject([{ database: value }]);
  expect(await region.listener('api-1')).toMatchObject({ last: { exitCode: 0 } });
});

/** Holds a node's provision lock, as `flock LOCK CMD` by hand does. */
async function holdLock(node: NodeName): Promise<{ release(): Promise<void> }> {
  await region.tellProvision(node, { takesMs: 60_000 });
  const before = linesNow();
  const running = provisionByHand(node);
  await until('the lock is held', () => region.startsSince(before, node).length > 0);
  await region.tellProvision(node, {});
  const pid = region.startsSince(before, node)[0]?.pid ?? 0;
  return {
    release: async () => {
      process.kill(pid, 'SIGUSR1');
      await running;
    },
  };
}

function provisionByHand(node: NodeName): Promise<unknown> {
  const lock = path.join(region.stateOf(node), 'listener', 'provision.lock');
  const env = { ...process.env, BY_HAND: '1', NODE: node };
  return runProgram('flock', [lock, process.execPath, PROVISION, region.directory], { env });
}

test.each([
  { when: 'while the run lives', exitCode: 0, restarted: 'early' },
  { when: 'and its restart after the run failed', exitCode: 3, restarted: 'late' },
])('kill -9 of the agent during a run, $when, loses neither the run nor its exit code', async (given) => {
  const { runs } = await region.listener('api-1');
  await region.tellProvision('api-1', { takesMs: 60_000, exitCode: given.exitCode });
  const before = linesNow();
  const value = nextValue();
  await region.setDatabase(value);
  await until('it runs', () => runsOf(before, 'api-1').length === 1);
  await region.tellProvision('api-1', {});
  const [run] = runsOf(before, 'api-1');
  const endRun = (): void => signal(run?.pid ?? 0, 'SIGUSR1');
  await region.killAgent();
  const ended = (): boolean =>
    region
      .provisionLines()
      .slice(before)
      .some((line) => line.node === 'api-1' && line.event === 'end');
  if (given.restarted === 'early') {
    await region.startAgent();
    expect(ended()).toBe(false);
    expect(await region.listener('api-1')).toMatchObject({ running: true });
    endRun();
    await until('it ended', ended);
  } else {
    endRun();
    await until('it ended', ended);
    await region.startAgent();
  }
  await untilQuiet();
  const history = await region.client.provisions({ node: 'api-1' });
  const since = history.slice(0, (await region.listener('api-1')).runs - runs).toReversed();
  // A failed run is tried again; one that succeeded is not.
  const expected = given.exitCode === 0 ? [0] : [3, 0];
  expect(since.map((run) => run['exitCode'])).toEqual(expected);
  expect(runsOf(before, 'api-1')).toHaveLength(expected.length);
  expect(runsOf(before, 'api-1').at(-1)).toMatchObject({ database: value });
});

test('a provision started by hand while the listener wants one never overlaps', async () => {
  const before = linesNow();
  await region.tellProvision('api-1', { takesMs: 700 });
  const value = nextValue();
  const byHand = provisionByHand('api-1');
  await until('it runs', () => region.startsSince(before, 'api-1').length === 1);
  await region.setDatabase(value);
  await until('the listener waits for it', async () => (await region.listener('api-1')).queued);
  const asked = await region.drover('provision', '--node', 'api-1', '--wait');
  expect(asked.code).toBe(0);
  await byHand;
  // And the other way round: by hand while the listener's own runs.
  const second = nextValue();
  await region.setDatabase(second);
  await until('the listener’s runs', () => runsOf(before, 'api-1').some((run) => run.database === second));
  await provisionByHand('api-1');
  await region.tellProvision('api-1', {});
  await untilQuiet();
  const runs = region.startsSince(before, 'api-1');
  expect(runs.filter((run) => run.from === 'hand')).toHaveLength(2);
  expect(runs.findLast((run) => run.from === 'listener')).toMatchObject({ database: second });
  expectNoOverlap(region.provisionLines());
});

test('scaling api provisions nobody', async () => {
  const before = linesNow();
  const instance = (id: string, node: NodeName, port: number): object => ({
    Name: 'api',
    ID: id,
    Address: region.address(node),
    Port: port,
  });
  const revisions = [
    await region.put('/v1/agent/service/register?node=api-1', instance('api-b', 'api-1', 1101)),
    await region.put('/v1/agent/service/register', instance('api', 'staging', 1101)),
    await region.put('/v1/catalog/register', {
      Node: 'outside',
      Address: region.address('external'),
      Service: { Service: 'api', Port: 1100 },
    }),
    await region.put('/v1/agent/service/deregister/api-b?node=api-1'),
    await region.put('/v1/agent/service/deregister/api'),
    await region.put('/v1/catalog/deregister', { Node: 'outside' }),
  ];
  for (const revision of revisions) {
    const { consumers } = await region.arrived(revision);
    expect(consumers.map((one) => one.kind)).not.toContain('listener');
  }
  await region.end('api', 'api-2', 'SIGKILL');
  await until('it is critical', async () =>
    (await region.client.service('api')).instancesOf.some((one) => one.health === 'critical'),
  );
  await region.start('api', 'api-2');
  await region.untilHealthy();
  await untilQuiet();
  expect(region.provisionLines().slice(before)).toEqual([]);
});
