import { aliveKey, checkKey, instanceKey, nodeKey } from '../src/registry/index.ts';
import { checkRecordOf, instanceRecordOf, nodeRecordOf } from '../src/registry/testing.ts';
import { SqliteStore, type Put } from '../src/store/index.ts';

/** How large a fleet is. */
export interface FleetSize {
  readonly nodes: number;
  readonly services: number;
  readonly instancesPerNode: number;
}

const PER_TXN = 128;
const COMMITS_AT_ONCE = 100;

/** Writes a fleet into a store: every node with its instances, each with one check, records as large as those of real fleets. */
export async function writeFleet(directory: string, size: FleetSize): Promise<void> {
  await using store = await SqliteStore.start({ directory });
  const writes: Put[] = [];
  let commits: Promise<unknown>[] = [];
  const flush = (): void => void commits.push(store.commit({ compares: [], writes: writes.splice(0) }));
  for (const [key, record] of fleetRecords(size)) {
    writes.push({ type: 'put', key, value: JSON.stringify(record) });
    if (writes.length === PER_TXN) flush();
    if (commits.length < COMMITS_AT_ONCE) continue;
    await Promise.all(commits);
    commits = [];
  }
  flush();
  await Promise.all(commits);
}

/** Keys and records of a fleet, node by node. */
function* fleetRecords({ nodes, services, instancesPerNode }: FleetSize): Generator<[string, object]> {
  for (let node = 0; node < nodes; node++) {
    const name = `node-${node}.example.net`;
    const address = `10.${node >> 16}.${(node >> 8) & 255}.${node & 255}`;
    yield [nodeKey(name), nodeRecordOf({ name, address, taggedAddresses: { lan: address, wan: address } })];
    yield [aliveKey(name), { status: 'up', since: '2026-01-01T00:00:00.000Z' }];
    for (let at = 0; at < instancesPerNode; at++) {
      const number = node * instancesPerNode + at;
      yield* instanceRecords(name, `service-${number % services}`, number);
    }
  }
}

function* instanceRecords(node: string, service: string, number: number): Generator<[string, object]> {
  const id = `${service}-${number}`;
  const meta = { version: '1.42.0', commit: number.toString(16).padStart(12, '0') };
  const port = 1_024 + (number % 60_000);
  yield [instanceKey(node, id), instanceRecordOf({ id, service, port, tags: ['http', 'v1'], meta })];
  const check = {
    id: `service:${id}`,
    name: `Service '${service}' check`,
    serviceId: id,
    type: 'http',
    interval: '10s',
    timeout: '2s',
    output: `HTTP GET http://127.0.0.1:${port}/status: 200 OK Output: ok`,
  };
  yield [checkKey(node, check.id), checkRecordOf(check)];
}
