import { describe, expect, test } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import { runCli } from './run-cli.ts';
import { FakeHost, run, type FakeAnswer } from './testing.ts';

const SET = { 'PUT /v2/datastores/A': { json: {}, revision: 57 } };
const late = { node: 'staging', kind: 'balancer', state: 'late' };
const asked = (wait: string): string => `GET /v2/converged/57?wait=${wait}`;

function waiting(wait: string, answer: FakeAnswer, words = 'datastore:set A v --wait=3s'): ReturnType<typeof run> {
  return run(words, { answers: { ...SET, [asked(wait)]: answer } });
}

describe('reportChange()', () => {
  test('exits 1 and names who is late, and the change stands', async () => {
    const { exit, stdout, stderr } = await waiting('3000ms', { json: { converged: false, pending: [late] } });
    expect({ exit, stdout }).toEqual({ exit: 1, stdout: 'datastore A is set at r57\n' });
    expect(stderr).toBe(
      'error CLI_NOT_ARRIVED: r57 stands, but it has not arrived everywhere within 3 s: balancer@staging late\nhint: drover trace 57 follows it\n',
    );
  });

  test('names reason and next try of who refused, failed or is held', async () => {
    const held = { node: 'n', kind: 'listener', state: 'held', reason: 'off', retryAt: '12:00' };
    const { exit, stderr } = await waiting('3000ms', { json: { converged: false, pending: [held, late] } });
    expect(exit).toBe(1);
    expect(stderr).toContain('everywhere: listener@n held (off; next try 12:00); balancer@staging late');
  });

  test('gives programs the change and how it arrived as one value, and the error on stderr', async () => {
    const { stdout, stderr } = await waiting(
      '3000ms',
      { json: { converged: false, pending: [late] } },
      'datastore:set A v --wait=3s --json',
    );
    expect(JSON.parse(stdout)).toEqual({ name: 'A', revision: 57, converged: false, pending: [late] });
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'CLI_NOT_ARRIVED' } });
  });

  test('says that the change stands when the agent goes away meanwhile', async () => {
    const { exit, stdout, stderr } = await waiting('3000ms', new TypeError('fetch failed'));
    expect({ exit, stdout }).toEqual({ exit: 1, stdout: 'datastore A is set at r57\n' });
    expect(stderr).toContain('r57 stands, but nobody can say where it arrived: no drover agent answers');
  });

  test('asks in slices of a minute, for as long as somebody is merely late', async () => {
    const clock = new FakeClock();
    const open = { converged: false, pending: [late] };
    const host = new FakeHost({
      clock,
      answers: {
        ...SET,
        [asked('60000ms')]: { json: open },
        [asked('30000ms')]: { json: { converged: true, pending: [] } },
      },
    });
    const { fetch } = host;
    const slow = Object.assign(host, {
      fetch: async (url: URL, init: RequestInit) => {
        const [, ms] = /wait=(\d+)ms/.exec(url.search) ?? [];
        if (ms !== undefined) await clock.sleep(Number(ms));
        return fetch(url, init);
      },
    });
    const exit = runCli(['datastore:set', 'A', 'v', '--wait=2m30s'], slow as unknown as FakeHost);
    await clock.advance(150_000);
    expect(await exit).toBe(0);
    expect(host.requests.slice(1)).toEqual([asked('60000ms'), asked('60000ms'), asked('30000ms')]);
  });
});
