import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FakeClock } from '../../lib/index.ts';
import { ALWAYS_ON_DUTY, type Duty, MemoryStore, readSnapshot, type Store } from '../../store/index.ts';
import { ScheduledSnapshots } from './scheduled-snapshots.ts';

const HOUR = 3_600_000;
/** The scratch store has a thread of its own. */
const WITHIN = { timeout: 8000, interval: 20 };

let directory = '';
beforeEach(async () => (directory = await mkdtemp(path.join(tmpdir(), 'drover-snapshots-'))));
afterEach(() => rm(directory, { recursive: true, force: true }));

interface Started extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly store: MemoryStore;
  readonly snapshots: ScheduledSnapshots;
  readonly reports: unknown[];
  put(key: string): Promise<unknown>;
}

async function start(
  given: { readonly duty?: Duty; readonly read?: Store['read']; readonly keep?: number } = {},
): Promise<Started> {
  const clock = new FakeClock();
  const store = await MemoryStore.start();
  const reports: unknown[] = [];
  const snapshots = ScheduledSnapshots.start({
    everyMs: HOUR,
    keep: given.keep ?? 2,
    directory: path.join(directory, 'saved'),
    store: { read: given.read ?? store.read.bind(store) },
    duty: given.duty ?? ALWAYS_ON_DUTY,
    datacenter: 'dc1',
    version: '1',
    clock,
    report: (error) => void reports.push(error),
  });
  return {
    clock,
    store,
    snapshots,
    reports,
    put: (key) => store.commit({ compares: [], writes: [{ type: 'put', key, value: 'x' }] }),
    async [Symbol.asyncDispose]() {
      await snapshots[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}

async function saved(): Promise<string[]> {
  const names = await readdir(path.join(directory, 'saved')).catch(() => []);
  return names.filter((name) => !name.startsWith('.')).toSorted((one, other) => (one < other ? -1 : 1));
}

/** Lets what is due begin, and waits for what it leads to. */
async function passes({ clock }: Started, byMs: number, isSo: () => Promise<void> | void): Promise<void> {
  await clock.advance(byMs);
  await vi.waitFor(isSo, WITHIN);
}

test('saves one at once, then one every so often, each whole and for its owner alone, and keeps the newest', async () => {
  await using started = await start();
  await started.put('kv/a');
  await started.put('own/x');
  await passes(started, 0, async () => expect(await saved()).toHaveLength(1));
  const [first = ''] = await saved();
  expect(first).toBe('drover-dc1-2-20260101T000000Z.snap');
  const file = path.join(directory, 'saved', first);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await readSnapshot(await readFile(file))).entries.map(({ key }) => key)).toEqual(['kv/a']);
  await vi.waitFor(() => expect(started.snapshots.status.newest?.file).toBe(file), WITHIN);
  expect(started.snapshots.status).toEqual({
    newest: { file, revision: 2, at: '2026-01-01T00:00:00.000Z' },
    failure: null,
  });
  for (const hour of [1, 2]) {
    await started.put('kv/b');
    await vi.waitFor(() => expect(started.clock.pending).toBe(1), WITHIN);
    const name = `drover-dc1-${hour + 2}-20260101T0${hour}0000Z.snap`;
    await passes(started, HOUR, async () => expect(await saved()).toContain(name));
  }
  await vi.waitFor(async () => expect(await saved()).toHaveLength(2), WITHIN);
  expect(await saved()).not.toContain(first);
});

test('begins when the last one is old enough, also after a restart', async () => {
  {
    await using started = await start();
    await passes(started, 0, async () => expect(await saved()).toHaveLength(1));
  }
  await using started = await start();
  await started.put('kv/a');
  await passes(started, HOUR / 2, () => expect(started.clock.pending).toBe(1));
  expect(await saved()).toHaveLength(1);
  expect(started.snapshots.status.newest?.revision).toBe(0);
  await passes(started, HOUR / 2, async () => expect(await saved()).toHaveLength(2));
});

test('says what went wrong, deletes nothing, and tries again', async () => {
  let isBroken = false;
  const store = await MemoryStore.start();
  const read: Store['read'] = async (...words) => {
    const state = await store.read(...words);
    // Two of one key: no store can be restored to that.
    const [entry] = state.entries;
    return isBroken && entry !== undefined ? { ...state, entries: [entry, entry] } : state;
  };
  await using started = await start({ read, keep: 1 });
  await store.commit({ compares: [], writes: [{ type: 'put', key: 'kv/a', value: 'x' }] });
  await passes(started, 0, async () => expect(await saved()).toHaveLength(1));
  const [good] = await saved();
  isBroken = true;
  await vi.waitFor(() => expect(started.clock.pending).toBe(1), WITHIN);
  await passes(started, HOUR, () => expect(started.reports).toHaveLength(1));
  expect(started.reports[0]).toMatchObject({
    code: 'AGENT_SNAPSHOT_FAILED',
    message: expect.stringMatching(/comes twice/) as string,
  });
  expect(started.snapshots.status.failure).toMatch(/comes twice/);
  expect(await saved()).toEqual([good]);
  isBroken = false;
  await passes(started, 60_000, () => expect(started.snapshots.status.failure).toBeNull());
  await vi.waitFor(async () => expect(await saved()).not.toContain(good), WITHIN);
  expect(await saved()).toHaveLength(1);
  await store[Symbol.asyncDispose]();
});

test('saves nothing while another server has the duty', async () => {
  const listeners = new Set<(isHeld: boolean) => void>();
  const duty: Duty = {
    name: 'snapshot',
    fence: null,
    onChange: (listen) => {
      listeners.add(listen);
      listen(false);
      return () => void listeners.delete(listen);
    },
  };
  {
    await using started = await start({ duty });
    await started.clock.advance(2 * HOUR);
    expect(await saved()).toEqual([]);
    listeners.forEach((listen) => listen(true));
    await passes(started, 0, async () => expect(await saved()).toHaveLength(1));
    listeners.forEach((listen) => listen(false));
    await started.clock.advance(2 * HOUR);
    expect(await saved()).toHaveLength(1);
  }
  expect(listeners.size).toBe(0);
});

test('leaves files that are not its own alone', async () => {
  const foreign = path.join(directory, 'saved', 'mine.snap');
  await using started = await start({ keep: 1 });
  await passes(started, 0, async () => expect(await saved()).toHaveLength(1));
  await writeFile(foreign, 'x');
  await utimes(foreign, 1, 1);
  await vi.waitFor(() => expect(started.clock.pending).toBe(1), WITHIN);
  await passes(started, HOUR, async () => expect(await saved()).toContain('drover-dc1-0-20260101T010000Z.snap'));
  await vi.waitFor(async () => expect(await saved()).toHaveLength(2), WITHIN);
  expect(await saved()).toContain('mine.snap');
});
