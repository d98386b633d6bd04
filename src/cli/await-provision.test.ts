import { describe, expect, test } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import { runCli } from './run-cli.ts';
import { FakeHost, type FakeAnswer, type FakeAnswers } from './testing.ts';

const idle = {
  enabled: true,
  running: false,
  queued: false,
  runs: 4,
  last: null,
  configured: true,
  causes: ['provision'],
  held: null,
  retryAt: null,
};
const ran = (id: string, succeeded = true): object => ({
  id,
  succeeded,
  result: succeeded ? 'exit 0' : 'exit 3',
  startedAt: '2026-01-01T00:00:00.000Z',
  endedAt: '2026-01-01T00:00:01.200Z',
  revision: 57,
  causes: [`cause of ${id}`],
  logFile: '/log',
});

async function provision(words: string, queued: object, polls: readonly FakeAnswer[], runs: readonly object[] = []) {
  const clock = new FakeClock();
  const answers: FakeAnswers = {
    'POST /v2/provisions': { json: { ...idle, ...queued } },
    'GET /v2/listener': polls,
    'GET /v2/provisions': { json: runs },
  };
  const host = new FakeHost({ clock, answers });
  const exit = runCli(['provision', ...words.split(' ').filter(Boolean)], host);
  return { host, clock, exit };
}

const poll = (more: object): FakeAnswer => ({ json: { ...idle, ...more } });

describe('drover provision', () => {
  test('waits for the end and shows it', async () => {
    const { host, clock, exit } = await provision(
      '',
      { running: true },
      [poll({ running: true }), poll({ runs: 5 })],
      [ran('mine')],
    );
    await clock.advance(1_000);
    expect(await exit).toBe(0);
    expect(host.out.toString()).toBe('the provision succeeded after 1.2 s, at r57, because of cause of mine\n');
    expect(host.err).toBe('');
  });

  test('waits for its own run behind one that is under way, also when a later one has ended', async () => {
    const runs = [ran('later'), ran('mine', false), ran('before')];
    const { host, clock, exit } = await provision(
      '',
      { running: true, queued: true },
      [poll({ runs: 5, running: true }), poll({ runs: 7 })],
      runs,
    );
    await clock.advance(1_000);
    expect(await exit).toBe(1);
    expect(host.out.toString()).toContain(
      'the provision failed (exit 3) after 1.2 s, at r57, because of cause of mine',
    );
    expect(host.err).toBe('error CLI_PROVISION_FAILED: the provision failed: exit 3\nhint: what it printed: /log\n');
  });

  test('says once why it does not start yet', async () => {
    const locked = { queued: true, held: 'locked by chef-client (pid 7)' };
    const { host, clock, exit } = await provision(
      '',
      locked,
      [poll(locked), poll(locked), poll({ runs: 5 })],
      [ran('mine')],
    );
    await clock.advance(2_000);
    expect(await exit).toBe(0);
    expect(host.err).toBe('it waits: locked by chef-client (pid 7)\n');
  });

  test('exits 1 at once when the listener is off, and leaves the run queued', async () => {
    const { host, exit } = await provision('', { enabled: false, queued: true, held: 'off' }, [poll({})]);
    expect(await exit).toBe(1);
    expect(host.err).toBe(
      'error CLI_PROVISION_HELD: the provision is queued: the listener is off\nhint: drover listener:on starts it\n',
    );
  });

  test('exits 1 when the time is up', async () => {
    const { host, clock, exit } = await provision('--wait=1s', { running: true }, [poll({ running: true })]);
    await clock.advance(1_500);
    expect(await exit).toBe(1);
    expect(host.err).toContain('it has not ended within 1 s');
  });

  test('ends the waiting, not the provision, at Ctrl-C', async () => {
    const { host, clock, exit } = await provision('', { running: true }, [poll({ running: true })]);
    await clock.advance(500);
    host.signal('SIGINT');
    expect(await exit).toBe(130);
    expect(host.err).toBe('the provision goes on: drover listener:status shows it\n');
    expect([...host.handlers.values()].every((handlers) => handlers.size === 0)).toBe(true);
  });

  test('outlives an agent that is restarted, but not one that stays away', async () => {
    const away = new TypeError('fetch failed');
    const back = await provision('', { running: true }, [away, away, poll({ runs: 5 })], [ran('mine')]);
    await back.clock.advance(1_000);
    expect(await back.exit).toBe(0);
    const gone = await provision('', { running: true }, [away]);
    await gone.clock.advance(31_000);
    expect(await gone.exit).toBe(1);
    expect(gone.host.err).toContain('CLI_UNREACHABLE');
  });

  test('only queues it with --no-wait', async () => {
    const { host, exit } = await provision(
      '--no-wait',
      { queued: true, held: 'interval', retryAt: '2026-01-01T00:00:05.000Z' },
      [],
    );
    expect(await exit).toBe(0);
    expect(host.out.toString()).toMatch(
      /^the listener is on; no provision runs; 4 runs so far\none is queued because of provision; it waits, because one has just run, until .*\n/,
    );
  });
});
