import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Catalog, StoreFeed } from '../src/registry/index.ts';
import { aliveKey, checkKey, instanceKey, nodeKey } from '../src/registry/index.ts';
import { checkRecordOf, instanceRecordOf, nodeRecordOf } from '../src/registry/testing.ts';
import { SqliteStore } from '../src/store/index.ts';
import type { Entry, Put } from '../src/store/index.ts';
import type { BenchOptions, BenchResult } from './result.ts';

const NODES = 5_000;
const QUICK_NODES = 100;
const INSTANCES_PER_NODE = 20;
const SERVICES = 500;
const BOUND_BYTES = 1_536;
const BOUND_MS = 5_000;

/** Heap of a catalog with 100,000 instances, each with a check, and how long a server takes to start from such a sqlite store. */
export async function run({ quick }: BenchOptions): Promise<BenchResult> {
  const nodes = quick ? QUICK_NODES : NODES;
  const bytes = heapPerInstance(nodes);
  const { startMs, cpuMs } = await startFromStore(nodes);
  const rows = [
    {
      instances: nodes * INSTANCES_PER_NODE,
      'heap B per instance': Math.round(bytes),
      'start from sqlite ms': Math.round(startMs),
      'start CPU ms': Math.round(cpuMs),
    },
  ];
  const ok = bytes <= BOUND_BYTES && startMs <= BOUND_MS;
  return { name: 'registry-heap', bound: `≤ ${BOUND_BYTES} B heap an instance, start within ${BOUND_MS} ms`, rows, ok };
}

function heapPerInstance(nodes: number): number {
  const instances = nodes * INSTANCES_PER_NODE;
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  const catalog = new Catalog({ region: 'aws' });
  gc();
  const before = process.memoryUsage().heapUsed;
  catalog.load(entries(nodes), instances);
  gc();
  const bytes = (process.memoryUsage().heapUsed - before) / instances;
  if (catalog.instances('service-7').length !== instances / SERVICES) throw new Error('the catalog is not complete');
  return bytes;
}

async function startFromStore(nodes: number): Promise<{ startMs: number; cpuMs: number }> {
  const root = mkdtempSync(path.join(os.tmpdir(), 'drover-bench-registry-'));
  const directory = path.join(root, 'store');
  try {
    await fill(directory, nodes);
    const cpu = process.cpuUsage();
    const started = performance.now();
    await using store = await SqliteStore.start({ directory });
    const catalog = new Catalog({ region: 'aws' });
    await using _feed = await StoreFeed.start({ store, projections: [catalog] });
    const startMs = performance.now() - started;
    const { user, system } = process.cpuUsage(cpu);
    if (catalog.nodes().length !== nodes) throw new Error('the catalog is not complete');
    return { startMs, cpuMs: (user + system) / 1_000 };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

async function fill(directory: string, nodes: number): Promise<void> {
  await using store = await SqliteStore.start({ directory });
  let writes: Put[] = [];
  const commits: Promise<unknown>[] = [];
  for (const { key, value } of entries(nodes)) {
    writes.push({ type: 'put', key, value });
    if (writes.length < 128) continue;
    commits.push(store.commit({ compares: [], writes }));
    writes = [];
  }
  commits.push(store.commit({ compares: [], writes }));
  await Promise.all(commits);
}

/** As large as those of real fleets: about 300 bytes an instance and 250 a check. */
function* entries(nodes: number): Generator<Entry> {
  let revision = 1;
  const entry = (key: string, record: unknown): Entry => {
    revision++;
    return { key, value: JSON.stringify(record), createRevision: revision, modRevision: revision };
  };
  for (let node = 0; node < nodes; node++) {
    const name = `node-${node}.example.net`;
    const address = `10.${node >> 16}.${(node >> 8) & 255}.${node & 255}`;
    yield entry(nodeKey(name), nodeRecordOf({ name, address, taggedAddresses: { lan: address, wan: address } }));
    yield entry(aliveKey(name), { status: 'up', since: '2026-11-21T12:00:00.000Z' });
    for (let n = 0; n < INSTANCES_PER_NODE; n++) yield* instanceEntries(entry, name, node * INSTANCES_PER_NODE + n);
  }
}

function* instanceEntries(
  entry: (key: string, record: unknown) => Entry,
  node: string,
  number: number,
): Generator<Entry> {
  const service = `service-${number % SERVICES}`;
  const id = `${service}-${number}`;
  const meta = { version: '1.42.0', commit: `c0ffee${number.toString(16).padStart(8, '0')}` };
  const port = 1_024 + (number % 60_000);
  yield entry(instanceKey(node, id), instanceRecordOf({ id, service, port, tags: ['http', 'v1'], meta }));
  yield entry(
    checkKey(node, `service:${id}`),
    checkRecordOf({
      id: `service:${id}`,
      name: `Service '${service}' check`,
      serviceId: id,
      type: 'http',
      interval: '10s',
      timeout: '2s',
      output: 'HTTP GET http://127.0.0.1/status: 200 OK Output: ok',
    }),
  );
}
