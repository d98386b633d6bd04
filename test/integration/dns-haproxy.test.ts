import { connect } from 'node:net';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, test } from 'vitest';
import { checkKey, instanceKey } from '../../src/registry/index.ts';
import type { CheckStatus } from '../../src/registry/index.ts';
import type { NodeLiteral, TestRegistry } from '../../src/registry/testing.ts';
import { checkRecordOf, instanceRecordOf } from '../../src/registry/testing.ts';
import { requireComponent } from '../require-component.ts';
import { until } from '../until.ts';
import { folder, startDaemon, startDns } from './dns-fixture.ts';
import type { At } from './dns-fixture.ts';

/** HAProxy makes 1 to 256 of the 65,535 weights that SRV has. */
const STEP = 256;
/** Its state of slots whose name went. */
const IN_MAINTENANCE = 32;
const NODES: readonly NodeLiteral[] = [1, 2].map((index) => ({
  name: `n${index}`,
  address: `127.55.1.${index}`,
  services: [
    { service: 'web', id: `web-${index}`, port: 8_000 + index, weights: { passing: index * 10 * STEP, warning: 1 } },
  ],
}));

let left = new AsyncDisposableStack();
afterEach(async () => {
  const used = left;
  left = new AsyncDisposableStack();
  await used.disposeAsync();
});

/** HAProxy with ten slots that follow `_web._tcp.service.consul`; gives what its socket says. */
async function startHaproxy(dns: At): Promise<(command: string) => Promise<string>> {
  const directory = await folder(left);
  const socketPath = path.join(directory, 'stats');
  const file = path.join(directory, 'haproxy.cfg');
  await writeFile(
    file,
    `global
  stats socket ${socketPath} mode 600 level admin
defaults
  mode http
  timeout connect 1s
  timeout client 1s
  timeout server 1s
resolvers c
  nameserver c ${dns.address}:${dns.port}
  accepted_payload_size 8192
  timeout resolve 200ms
  timeout retry 200ms
  hold valid 200ms
  hold obsolete 200ms
backend web
  server-template web 10 _web._tcp.service.consul resolvers c resolve-prefer ipv4 init-addr none
`,
  );
  const say = (command: string): Promise<string> => text(connect(socketPath).end(`${command}\n`)).catch(() => '');
  await startDaemon(left, 'haproxy', ['-db', '-f', file], async () => (await say('show info')).includes('Version'));
  return say;
}

/** Address, port and weight of every slot that is in use. */
async function slots(say: (command: string) => Promise<string>): Promise<string[]> {
  const [, header = '', ...rows] = (await say('show servers state web')).trim().split('\n');
  const names = header.replace('# ', '').split(' ');
  return rows
    .map((row) => Object.fromEntries(row.split(' ').map((value, index) => [names[index], value])))
    .filter((row) => row['srv_addr'] !== '-' && (Number(row['srv_admin_state']) & IN_MAINTENANCE) === 0)
    .map((row) => `${row['srv_addr']}:${row['srv_port']} weight ${row['srv_uweight']}`)
    .toSorted();
}

async function register({ feed }: TestRegistry, id: string, address: string, port: number): Promise<void> {
  const value = JSON.stringify(
    instanceRecordOf({ service: 'web', id, port, address, weights: { passing: 5 * STEP, warning: 1 } }),
  );
  await feed.commit({ compares: [], writes: [{ type: 'put', key: instanceKey('n1', id), value }] });
}

async function report({ feed }: TestRegistry, status: CheckStatus): Promise<void> {
  const value = JSON.stringify(checkRecordOf({ id: 'service:web-2', serviceId: 'web-2', status }));
  await feed.commit({ compares: [], writes: [{ type: 'put', key: checkKey('n2', 'service:web-2'), value }] });
}

requireComponent('haproxy')('HAProxy with server-template on SRV', () => {
  test('follows instances as they come, fail and go, with their weights', async () => {
    const { dns, region } = await startDns(left, NODES, {}, { address: '127.55.0.1' });
    const say = await startHaproxy(dns);
    const become = (what: string, expected: readonly string[]): Promise<unknown> =>
      until(what, async () => (await slots(say)).join() === expected.join());
    const [one, two] = ['127.55.1.1:8001 weight 10', '127.55.1.2:8002 weight 20'] as const;
    await become('both', [one, two]);
    await register(region, 'web-3', '127.55.1.3', 8_003);
    await become('a third, by its own address', [one, two, '127.55.1.3:8003 weight 5']);
    await report(region, 'critical');
    await become('one fails', [one, '127.55.1.3:8003 weight 5']);
    await report(region, 'passing');
    await become('it is well again', [one, two, '127.55.1.3:8003 weight 5']);
    await region.feed.commit({ compares: [], writes: [{ type: 'delete', key: instanceKey('n1', 'web-3') }] });
    await become('one is gone', [one, two]);
  });
});
