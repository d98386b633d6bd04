import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeClock } from '../../lib/index.ts';
import { JoinedServers } from './servers.ts';

const [A, B, C] = ['http://10.0.0.1:8500', 'http://10.0.0.2:8500', 'http://10.0.0.3:8500'] as const;
let directory: string;
let clock: FakeClock;
let warnings: string[];

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'drover-servers-'));
  clock = new FakeClock();
  warnings = [];
});

afterEach(() => rm(directory, { recursive: true, force: true }));

function open(
  join: readonly string[] = ['10.0.0.1', '10.0.0.2'],
  random: () => number = () => 0,
): Promise<JoinedServers> {
  const warn = (text: string): void => void warnings.push(text);
  return JoinedServers.open({ join, directory, retryFirstMs: 1_000, retryMostMs: 8_000, clock, random, warn });
}

describe('JoinedServers.choose()', () => {
  test('JoinedServers.choose() takes a random one, and stays with the one that is linked', async () => {
    await using first = await open(undefined, () => 0);
    expect(first.choose()).toMatchObject({ candidate: { url: A, name: null }, waitMs: 0 });
    await using last = await open(undefined, () => 0.99);
    expect(last.choose()?.candidate.url).toBe(B);
    last.linked(A, 's1');
    expect(last.choose()?.candidate).toMatchObject({ url: A, name: 's1' });
    expect(last.current?.url).toBe(A);
  });

  test('JoinedServers.choose() is null when there is none', async () => {
    await using servers = await open([]);
    expect(servers.choose()).toBeNull();
  });

  test('JoinedServers.choose() goes to another one at once when a link is lost', async () => {
    await using servers = await open();
    servers.linked(A, 's1');
    servers.lost(A);
    expect(servers.current).toBeNull();
    expect(servers.choose()).toMatchObject({ candidate: { url: B }, waitMs: 0 });
  });

  test('JoinedServers.choose() waits when every one has failed, longer each time, and takes the soonest', async () => {
    await using servers = await open();
    servers.failed(A);
    await clock.advance(100);
    servers.failed(B);
    expect(servers.choose()).toMatchObject({ candidate: { url: A }, waitMs: 900 });
    await clock.advance(900);
    expect(servers.choose()).toMatchObject({ candidate: { url: A }, waitMs: 0 });
    servers.failed(A);
    expect(servers.choose()).toMatchObject({ candidate: { url: B }, waitMs: 100 });
    for (let tries = 0; tries < 10; tries++) servers.failed(A);
    for (let tries = 0; tries < 10; tries++) servers.failed(B);
    expect(servers.choose()?.waitMs).toBe(8_000);
  });

  test('JoinedServers.choose() forgives failures of one that held its link, and not of one that drops it at once', async () => {
    await using servers = await open(['10.0.0.1']);
    for (let round = 0; round < 3; round++) {
      servers.linked(A, 's1');
      servers.lost(A);
    }
    expect(servers.choose()?.waitMs).toBe(4_000);
    servers.linked(A, 's1');
    await clock.advance(8_000);
    servers.lost(A);
    expect(servers.choose()?.waitMs).toBe(1_000);
  });
});

describe('JoinedServers.current', () => {
  test('JoinedServers.current is one that a node of the agent is linked to, as long as there is one', async () => {
    await using servers = await open();
    servers.linked(A, 's1');
    servers.linked(A, 's1');
    servers.linked(B, 's2');
    expect(servers.current?.name).toBe('s1');
    servers.lost(A);
    expect(servers.current?.name).toBe('s2');
    servers.lost(B);
    expect(servers.current?.name).toBe('s1');
    servers.lost(A);
    expect(servers.current).toBeNull();
  });

  test('JoinedServers.onChange() tells when it becomes another', async () => {
    await using servers = await open();
    const seen: (string | null)[] = [];
    const stop = servers.onChange(() => seen.push(servers.current?.name ?? null));
    servers.linked(A, 's1');
    servers.lost(A);
    stop();
    servers.linked(B, 's2');
    expect(seen).toEqual(['s1', null]);
  });

  test('JoinedServers ignores what is said of servers that it does not know', async () => {
    await using servers = await open();
    servers.linked(C, 's3');
    servers.lost(C);
    servers.lost(A);
    servers.failed(C);
    expect(servers.current).toBeNull();
    expect(servers.choose()?.candidate.url).toBe(A);
  });
});

describe('JoinedServers.told()', () => {
  test('JoinedServers.told() adds servers, and forgets those that are gone but for configured and linked ones', async () => {
    await using servers = await open(['10.0.0.1']);
    servers.told([
      { name: 's2', url: B },
      { name: 's3', url: C },
    ]);
    expect(servers.candidates.map(({ url }) => url)).toEqual([A, B, C]);
    servers.linked(C, 's3');
    servers.told([{ name: 's1', url: A }]);
    expect(servers.candidates).toMatchObject([
      { url: A, name: 's1' },
      { url: C, name: 's3' },
    ]);
    servers.told([]);
    expect(servers.candidates).toHaveLength(2);
  });

  test('JoinedServers.told() takes no word that is none, and the others with it', async () => {
    await using servers = await open(['10.0.0.1']);
    const odd = [
      { name: 's4', url: 'nonsense' },
      { name: 's5', url: 'ftp://10.0.0.9' },
      { name: 7, url: C },
      { name: 's6' },
    ];
    servers.told([
      ...odd,
      { name: 's2', url: 'http://10.0.0.2:8500/v1' },
      { name: 's3', url: 'http://10.0.0.3:80' },
    ] as never);
    expect(servers.candidates.map(({ url }) => url)).toEqual([A, 'http://10.0.0.3']);
    servers.told(Array.from({ length: 5_000 }, (_, at) => ({ name: `s${at}`, url: `http://10.1.0.1:${at + 1}` })));
    expect(servers.candidates).toHaveLength(1_001);
  });

  test('JoinedServers.told() is remembered over restarts', async () => {
    {
      await using servers = await open(['10.0.0.1']);
      servers.told([{ name: 's3', url: C }]);
    }
    await using servers = await open(['10.0.0.1']);
    expect(servers.candidates).toMatchObject([{ url: A }, { url: C, name: 's3' }]);
  });

  test.each(['{', '{"version": 2}', '{"version": 1}', '{"version": 1, "servers": [{"name": "x", "url": "a b"}]}'])(
    'JoinedServers.open() puts a damaged memory aside and says so: %s',
    async (text) => {
      await writeFile(path.join(directory, 'servers.json'), text);
      await using servers = await open(['10.0.0.1']);
      expect(servers.candidates).toHaveLength(1);
      expect(warnings).toEqual([expect.stringContaining('the list of servers was damaged')]);
      expect(await readFile(path.join(directory, 'servers.json.damaged'), 'utf8')).toBe(text);
    },
  );

  test('JoinedServers.open() throws for what names no server', async () => {
    await expect(open(['a b'])).rejects.toMatchObject({ code: 'AGENT_SERVER_NAME' });
  });
});
