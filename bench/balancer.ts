import path from 'node:path';
import { RuntimeClient } from '../src/balancer/runtime.ts';
import { isInRotation } from '../src/balancer/servers-state.ts';
import type { RuntimeServer } from '../src/balancer/servers-state.ts';
import { systemClock } from '../src/lib/index.ts';
import type { Member } from '../src/registry/index.ts';
import { BalancerBench, freePorts, frontendOf, memberOf, viewOf } from '../test/integration/balancer-fixture.ts';
import { findComponent } from '../test/require-component.ts';
import type { BenchOptions, BenchResult } from './result.ts';

const ROUNDS = 200;
const STANDING = 10;
const BOUND_MS = 100;

/** How long from the offer of a view until HAProxy’s runtime, asked by somebody else, shows the member or shows it out. */
export async function run({ quick }: BenchOptions): Promise<BenchResult> {
  const name = 'balancer: a member comes and goes';
  const bound = `view offered → HAProxy’s runtime shows it: p99 ≤ ${BOUND_MS} ms, removal the same`;
  if (findComponent('haproxy') === null)
    return { name, bound, rows: [{ skipped: 'haproxy is not installed' }], ok: false };
  await using bench = await BalancerBench.open();
  const [port = 0] = await freePorts(1);
  const standing = Array.from({ length: STANDING }, (_, at) => memberOf(`node-${at}/api`, 20_000 + at));
  const balancer = await bench.balancer();
  const socket = path.join(bench.directory, 'balancer', 'admin.sock');
  const runtime = new RuntimeClient({ socket, clock: systemClock });
  let revision = 0;
  const offer = (members: readonly Member[]): Promise<void> =>
    balancer.offer(viewOf(++revision, [frontendOf(port, members)]));
  const untilShown = async (isSo: (servers: readonly RuntimeServer[]) => boolean): Promise<void> => {
    while (!isSo(await runtime.servers())) await systemClock.sleep(1);
  };
  await offer(standing);

  const times = { added: [] as number[], receipt: [] as number[], removed: [] as number[] };
  for (let round = 0; round < (quick ? 10 : ROUNDS); round++) {
    const guest = memberOf(`guest-${round}/api`, 30_000 + (round % 1_000));
    const shows = (server: RuntimeServer): boolean => server.port === guest.port && isInRotation(server);
    await clocked(
      times.added,
      times.receipt,
      offer([...standing, guest]),
      untilShown((all) => all.some(shows)),
    );
    await clocked(
      times.removed,
      times.receipt,
      offer(standing),
      untilShown((all) => !all.some(shows)),
    );
  }
  const rows = Object.entries(times).map(([what, list]) => ({ what, p50Ms: at(list, 0.5), p99Ms: at(list, 0.99) }));
  return { name, bound, rows, ok: rows.every((row) => row.p99Ms <= BOUND_MS) };
}

async function clocked(shown: number[], told: number[], offered: Promise<void>, seen: Promise<void>): Promise<void> {
  const startedAt = performance.now();
  await Promise.all([
    offered.then(() => told.push(performance.now() - startedAt)),
    seen.then(() => shown.push(performance.now() - startedAt)),
  ]);
}

function at(list: readonly number[], part: number): number {
  const sorted = list.toSorted((a, b) => a - b);
  return Number((sorted[Math.ceil(sorted.length * part) - 1] ?? Number.NaN).toFixed(2));
}
