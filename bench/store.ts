import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { startWorker } from '../src/lib/index.ts';
import { prefixRange, SqliteStore } from '../src/store/index.ts';
import { median } from './result.ts';
import type { BenchOptions, BenchResult } from './result.ts';

const KEYS = 20_000;
/** Many short rounds: what else the disk does meanwhile then burdens both alike. */
const ROUNDS = 25;
const ROUND_MS = 150;
const BOUND = 0.6;

interface Contender {
  put(key: string, value: string): Promise<unknown>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Durable puts of the sqlite store against a bare `node:sqlite` group-commit loop in a worker, with the same keys and values,
 * at 1, 16 and 64 writers, in interleaved rounds.
 */
export async function run({ quick }: BenchOptions): Promise<BenchResult> {
  const root = mkdtempSync(path.join(os.tmpdir(), 'drover-bench-store-'));
  try {
    await using ours = await startOurs(path.join(root, 'ours'));
    await using bare = startBare(path.join(root, 'bare.db'));
    await fill(ours);
    await fill(bare);
    const rows = [];
    for (const writers of [1, 16, 64]) rows.push(await compare(writers, ours, bare, quick ? 2 : ROUNDS));
    rows.push(await readAll(path.join(root, 'big'), quick ? 12_800 : 200_000));
    const ok = rows.every((row) => !('ratio' in row) || Number(row['ratio']) >= BOUND);
    return { name: 'store', bound: `ratio ≥ ${BOUND} at every number of writers`, rows, ok };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

async function compare(
  writers: number,
  ours: Contender,
  bare: Contender,
  count: number,
): Promise<Record<string, string | number>> {
  await race(ours, writers, ROUND_MS * 2);
  await race(bare, writers, ROUND_MS * 2);
  const rounds: { ours: number; bare: number }[] = [];
  for (let round = 0; round < count; round++) {
    // Who goes first alternates, so that what one leaves to the disk does not always burden the same other.
    const first = round % 2 === 0 ? ours : bare;
    const one = await race(first, writers, ROUND_MS);
    const other = await race(first === ours ? bare : ours, writers, ROUND_MS);
    rounds.push(first === ours ? { ours: one, bare: other } : { ours: other, bare: one });
  }
  return {
    writers,
    ratio: Number(median(rounds.map((round) => round.ours / round.bare)).toFixed(2)),
    ours: Math.round(median(rounds.map((round) => round.ours))),
    baseline: Math.round(median(rounds.map((round) => round.bare))),
  };
}

/** Puts a second by so many writers, each waiting for its own put before the next. */
async function race(contender: Contender, writers: number, forMs: number): Promise<number> {
  const start = performance.now();
  let puts = 0;
  const write = async (writer: number): Promise<void> => {
    for (let turn = writer; performance.now() - start < forMs; turn += 7_919) {
      await contender.put(keyOf(turn % KEYS), valueOf(turn));
      puts++;
    }
  };
  await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer * 97)));
  return (puts * 1_000) / (performance.now() - start);
}

async function fill(contender: Contender): Promise<void> {
  const puts = Array.from({ length: KEYS }, (_, index) => contender.put(keyOf(index), valueOf(index)));
  await Promise.all(puts);
}

function keyOf(index: number): string {
  return `chk/node-${index % 997}/service:api-${index}`;
}

/** As long as the records of instances and checks are: about 400 bytes. */
function valueOf(turn: number): string {
  return JSON.stringify({ service: 'api', id: `api-${turn}`, output: `HTTP GET: 200 OK ${turn} `.repeat(14) });
}

async function startOurs(directory: string): Promise<Contender> {
  const store = await SqliteStore.start({ directory });
  return {
    put: (key, value) => store.commit({ compares: [], writes: [{ type: 'put', key, value }] }),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

/** The least that makes puts durable in groups: one batch under way, the next one collects meanwhile. */
function startBare(file: string): Contender {
  const worker = startWorker('bare', {
    module: new URL('./store-bare-worker.ts', import.meta.url),
    workerData: { file },
  });
  const exited = new Promise((resolve) => worker.once('exit', resolve));
  const [queue, waiting]: [string[], (() => void)[]] = [[], []];
  let sent: (() => void)[] = [];
  const flush = (): void => {
    if (sent.length > 0 || waiting.length === 0) return;
    worker.postMessage(queue.splice(0, 2_048));
    sent = waiting.splice(0, 1_024);
  };
  worker.on('message', () => {
    const done = sent;
    sent = [];
    flush();
    for (const resolve of done) resolve();
  });
  return {
    put: (key, value) =>
      new Promise<void>((resolve) => {
        queue.push(key, value);
        waiting.push(resolve);
        if (waiting.length === 1) queueMicrotask(flush);
      }),
    async [Symbol.asyncDispose]() {
      worker.postMessage(null);
      await exited;
    },
  };
}

/** 200,000 entries are what 100,000 instances have: how long a start reads them, and what stays in the heap of the store. */
async function readAll(directory: string, entries: number): Promise<Record<string, string | number>> {
  {
    await using store = await SqliteStore.start({ directory });
    for (let from = 0; from < entries; from += 12_800) await fillPart(store, from, Math.min(from + 12_800, entries));
  }
  const opening = performance.now();
  await using store = await SqliteStore.start({ directory });
  const opened = performance.now();
  const before = heapUsed();
  const { readMs, heldBytes } = await readOnce(store);
  return {
    entries,
    openMs: Math.round(opened - opening),
    readMs: Math.round(readMs),
    heapBytesPerEntryRead: Math.round((heldBytes - before) / entries),
    heapBytesPerEntryKept: Math.round((heapUsed() - before) / entries),
  };
}

async function readOnce(store: SqliteStore): Promise<{ readMs: number; heldBytes: number }> {
  const start = performance.now();
  const { entries } = await store.read(prefixRange(''));
  const readMs = performance.now() - start;
  const heldBytes = heapUsed();
  if (entries.length === 0) throw new Error('nothing was read');
  return { readMs, heldBytes };
}

async function fillPart(store: SqliteStore, from: number, to: number): Promise<void> {
  const commits: Promise<unknown>[] = [];
  for (let index = from; index < to; index += 128) {
    const writes = Array.from(
      { length: Math.min(128, to - index) },
      (_, offset) => ({ type: 'put', key: keyOf(index + offset), value: valueOf(index + offset) }) as const,
    );
    commits.push(store.commit({ compares: [], writes }));
  }
  await Promise.all(commits);
}

function heapUsed(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

if (import.meta.main) {
  const { setFlagsFromString } = await import('node:v8');
  setFlagsFromString('--expose-gc');
  globalThis.gc = (await import('node:vm')).runInNewContext('gc') as typeof globalThis.gc;
  console.log(JSON.stringify(await run({ quick: process.argv.includes('--quick') }), null, 2));
}
