import { HttpApi } from '../src/api/http-api.ts';
import { startTestApi } from '../src/api/testing.ts';
import { FakeClock, systemClock, type Timer } from '../src/lib/index.ts';
import { checkRecordOf } from '../src/registry/testing.ts';

/** Changes a service, and waits until so many are still blocked. */
export interface HostOrder {
  readonly change: string;
  readonly left: number;
}

/** What that cost the thread that does everything. */
export interface HostReport {
  readonly cpuMs: number;
  /** Most CPU time between two turns of the event loop. */
  readonly longestMs: number;
  readonly waiters: number;
}

/** The machine's clock where tests have one that stands still. */
class RunningClock extends FakeClock {
  override now(): number {
    return systemClock.now();
  }

  override after(delayMs: number, task: () => void): Timer {
    return systemClock.after(delayMs, task);
  }
}

const SERVICES = ['all', 'one'];
const nodes = [{ name: 'n2', services: SERVICES.map((service) => ({ service, status: 'passing' as const })) }];
const { context, region } = await startTestApi({ nodes, clock: new RunningClock() });
const api = await HttpApi.start({ context, addresses: ['127.0.0.1'], port: 0 });
process.on('message', (order: HostOrder | 'waiters') => void answer(order));
process.on('disconnect', () => process.exit(0));
process.send?.({ port: api.port, index: context.feed.revision });

async function answer(order: HostOrder | 'waiters'): Promise<void> {
  if (order === 'waiters') process.send?.({ waiters: context.queries.waiters });
  else process.send?.(await change(order));
}

async function change({ change: service, left }: HostOrder): Promise<HostReport> {
  const check = checkRecordOf({ id: `service:${service}`, serviceId: service, status: 'warning' });
  let longestMs = 0;
  let last = cpuMs();
  const first = last;
  const reported = region.registry.report('n2', [{ type: 'check', check }]);
  // The last who are woken are answered in the turn after.
  for (let after = 0; after < 3;) {
    await new Promise((resolve) => setImmediate(resolve));
    const now = cpuMs();
    longestMs = Math.max(longestMs, now - last);
    last = now;
    if (context.queries.waiters <= left) after++;
  }
  await reported;
  return { cpuMs: last - first, longestMs, waiters: context.queries.waiters };
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
