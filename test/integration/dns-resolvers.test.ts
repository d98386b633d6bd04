import { Resolver } from 'node:dns/promises';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { instanceKey } from '../../src/registry/index.ts';
import type { NodeLiteral } from '../../src/registry/testing.ts';
import { instanceRecordOf } from '../../src/registry/testing.ts';
import { findComponent, requireComponent } from '../require-component.ts';
import { runProgram } from './acceptance-processes.ts';
import { dig, folder, startBind, startDns, startUnbound } from './dns-fixture.ts';
import type { At, StartedDns } from './dns-fixture.ts';

const NODES: readonly NodeLiteral[] = ['10.54.0.1', '10.54.0.2'].map((address, index) => ({
  name: `n${index + 1}`,
  address,
  services: [
    { service: 'web', port: 8_080 + index, tags: [`v${index + 1}`], weights: { passing: 10 + index, warning: 1 } },
  ],
}));

let left = new AsyncDisposableStack();
afterEach(async () => {
  const used = left;
  left = new AsyncDisposableStack();
  await used.disposeAsync();
});

/** What a client of a resolver that forwards the zone sees, before and after a registration. */
async function expectZone(at: At, { region }: StartedDns): Promise<void> {
  const ask = async (...words: string[]): Promise<string[]> => (await dig(at, ...words)).answer.toSorted();
  expect(await ask('web.service.consul', 'A')).toEqual([
    'web.service.consul. 0 IN A 10.54.0.1',
    'web.service.consul. 0 IN A 10.54.0.2',
  ]);
  expect(await ask('_web._tcp.service.consul', 'SRV')).toEqual([
    '_web._tcp.service.consul. 0 IN SRV 1 10 8080 n1.node.aws.consul.',
    '_web._tcp.service.consul. 0 IN SRV 1 11 8081 n2.node.aws.consul.',
  ]);
  expect(await ask('v2.web.service.consul', 'A')).toHaveLength(1);
  expect(await ask('n1.node.aws.consul', 'A')).toEqual(['n1.node.aws.consul. 0 IN A 10.54.0.1']);
  expect(await ask('+tcp', 'n1.node.consul', 'A')).toHaveLength(1);
  expect(await ask('-x', '10.54.0.2')).toEqual(['2.0.54.10.in-addr.arpa. 0 IN PTR n2.node.aws.consul.']);
  expect(await dig(at, 'nope.service.consul', 'A')).toMatchObject({ status: 'NXDOMAIN' });
  expect(await dig(at, 'web.service.consul', 'AAAA')).toMatchObject({ status: 'NOERROR', answer: [] });
  const value = JSON.stringify(instanceRecordOf({ service: 'web', id: 'more', port: 9, address: '10.54.0.3' }));
  await region.feed.commit({ compares: [], writes: [{ type: 'put', key: instanceKey('n1', 'more'), value }] });
  expect(await ask('web.service.consul', 'A')).toHaveLength(3);
}

requireComponent('named')('BIND', () => {
  test('forwards the zone and the reverse names', async () => {
    const started = await startDns(left, NODES, {}, { address: '127.54.0.1' });
    const { address, port } = started.dns;
    const forward = (zone: string): string =>
      `zone "${zone}" { type forward; forward only; forwarders { ${address} port ${port}; }; };\n`;
    const bind = await startBind(left, {
      options: 'recursion yes; allow-recursion { 127.0.0.0/8; }; disable-empty-zone "10.in-addr.arpa";',
      zones: forward('consul') + forward('54.10.in-addr.arpa'),
    });
    await expectZone(bind, started);
  });
});

requireComponent('unbound')('unbound', () => {
  // The root's key: what is below a name that is not said to be insecure would have to be signed.
  const server = `  trust-anchor: ". DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"
  domain-insecure: "consul"
  domain-insecure: "10.in-addr.arpa"
  local-zone: "10.in-addr.arpa." nodefault`;

  test.each(['stub', 'forward'])('answers from the zone as a %s-zone', async (kind) => {
    const started = await startDns(left, NODES, {}, { address: '127.54.0.2' });
    const { address, port } = started.dns;
    const zone = (name: string): string => `${kind}-zone:\n  name: "${name}"\n  ${kind}-addr: ${address}@${port}\n`;
    const unbound = await startUnbound(left, '127.54.0.3', {
      server,
      zones: zone('consul') + zone('54.10.in-addr.arpa'),
    });
    await expectZone(unbound, started);
  });
});

test('Node resolves SRV, A, TXT and PTR', async () => {
  const { dns } = await startDns(
    left,
    NODES.map((node) => ({ ...node, meta: { rack: 'r1' } })),
  );
  const resolver = new Resolver({ tries: 2, timeout: 5_000 });
  resolver.setServers([`${dns.address}:${dns.port}`]);
  const srv = await resolver.resolveSrv('_web._tcp.service.consul');
  expect(srv.toSorted((a, b) => a.port - b.port)).toMatchObject([
    { name: 'n1.node.aws.consul', port: 8_080, priority: 1, weight: 10 },
    { name: 'n2.node.aws.consul', port: 8_081, priority: 1, weight: 11 },
  ]);
  expect((await resolver.resolve4('web.service.consul')).toSorted()).toEqual(['10.54.0.1', '10.54.0.2']);
  expect(await resolver.resolveTxt('n1.node.consul')).toEqual([['rack=r1']]);
  expect(await resolver.reverse('10.54.0.1')).toEqual(['n1.node.aws.consul']);
  expect(await resolver.resolveSoa('consul')).toMatchObject({ nsname: 'ns.consul', hostmaster: 'hostmaster.consul' });
  await expect(resolver.resolve6('web.service.consul')).rejects.toMatchObject({ code: 'ENODATA' });
  await expect(resolver.resolve4('nope.service.consul')).rejects.toMatchObject({ code: 'ENOTFOUND' });
});

requireComponent('unshare')('glibc in a network namespace', () => {
  test.skipIf(process.getuid?.() !== 0)('resolves through /etc/resolv.conf, with a search domain', async () => {
    const directory = await folder(left);
    await writeFile(
      path.join(directory, 'resolv.conf'),
      'nameserver 127.0.0.1\nsearch service.consul\noptions timeout:1 attempts:2\n',
    );
    await writeFile(path.join(directory, 'nsswitch.conf'), 'hosts: files dns\n');
    const host = path.join(import.meta.dirname, 'dns-host.ts');
    // glibc asks for no addresses where a machine has none but the loopback's.
    const script = `set -e
ip link set lo up
ip address add 10.99.0.1/32 dev lo
mount --bind ${directory}/resolv.conf /etc/resolv.conf
mount --bind ${directory}/nsswitch.conf /etc/nsswitch.conf
'${process.execPath}' --disable-warning=ExperimentalWarning '${host}' 53 &
i=0
until getent ahostsv4 node-1.node.consul > /dev/null; do i=$((i + 1)); test $i -lt 100; sleep 0.1; done
echo "node: $(getent ahostsv4 node-1.node.consul | head -1)"
echo "short: $(getent ahostsv4 service-7 | head -1)"
echo "all: $(getent ahostsv4 web | grep -c STREAM)"
echo "reverse: $(getent hosts 10.0.0.7)"
getent hosts nope.service.consul || echo "none: $?"
`;
    const words = ['--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', script];
    const { stdout, stderr } = await runProgram(findComponent('unshare') as string, words);
    const said = Object.fromEntries(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.split(': ').map((part) => part.trim().replaceAll(/\s+/g, ' '))),
    );
    expect(said, stderr).toEqual({
      node: '10.0.0.1 STREAM node-1.node.consul',
      short: '10.0.0.7 STREAM service-7.service.consul',
      // A plain resolver is told three of fifty over UDP, and of more over TCP.
      all: '50',
      reverse: '10.0.0.7 node-7.node.aws.consul',
      none: '2',
    });
  });
});
