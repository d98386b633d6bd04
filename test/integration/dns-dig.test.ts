import { afterEach, expect, test } from 'vitest';
import type { CheckStatus } from '../../src/registry/index.ts';
import { checkKey } from '../../src/registry/index.ts';
import { checkRecordOf } from '../../src/registry/testing.ts';
import type { NodeLiteral } from '../../src/registry/testing.ts';
import type { DnsInput } from '../../src/dns/index.ts';
import { requireComponent } from '../require-component.ts';
import { dig, startDns } from './dns-fixture.ts';
import type { At, Dug, StartedDns } from './dns-fixture.ts';

const NAME = 'elasticsearch.service.consul';
const STAGING: NodeLiteral = {
  name: 'staging',
  address: '172.31.0.9',
  services: [{ service: 'elasticsearch', port: 9200, status: 'passing' }],
};

let left = new AsyncDisposableStack();
afterEach(async () => {
  const used = left;
  left = new AsyncDisposableStack();
  await used.disposeAsync();
});

const start = (
  nodes: readonly NodeLiteral[],
  input: Partial<DnsInput> = {},
  at: Partial<At> = {},
): Promise<StartedDns> => startDns(left, nodes, input, at);

async function report({ region }: StartedDns, status: CheckStatus): Promise<void> {
  const id = 'service:elasticsearch';
  const value = JSON.stringify(checkRecordOf({ id, serviceId: 'elasticsearch', status }));
  await region.feed.commit({ compares: [], writes: [{ type: 'put', key: checkKey('staging', id), value }] });
}

const UP = {
  status: 'NOERROR',
  flags: 'qr aa rd',
  counts: [1, 0, 1],
  answer: ['elasticsearch.service.consul. 0 IN SRV 1 1 9200 staging.node.aws.consul.'],
  authority: [],
  additional: ['staging.node.aws.consul. 0 IN A 172.31.0.9'],
};

requireComponent('dig')('DnsServer asked by dig', () => {
  test('gives both transcripts of the document, down and up again', async () => {
    const started = await start([STAGING], { legacy: true, disableCompression: true });
    const ask = (): Promise<Dug> => dig(started.dns, '+noedns', NAME, 'SRV');
    expect(await ask()).toEqual({ ...UP, octets: 156 });
    await report(started, 'critical');
    const down = { status: 'NOERROR', flags: 'qr aa rd', counts: [0, 0, 0], octets: 46 };
    expect(await ask()).toEqual({ ...down, answer: [], authority: [], additional: [] });
    await report(started, 'passing');
    expect(await ask()).toEqual({ ...UP, octets: 156 });
  });

  test('says NXDOMAIN with SOA while the service is down', async () => {
    const started = await start([STAGING]);
    expect(await dig(started.dns, '+noedns', NAME, 'SRV')).toMatchObject(UP);
    await report(started, 'critical');
    const down = await dig(started.dns, '+noedns', NAME, 'SRV');
    expect(down).toMatchObject({ status: 'NXDOMAIN', flags: 'qr aa rd', counts: [0, 1, 0] });
    expect(down.authority[0]).toMatch(/^consul\. 0 IN SOA ns\.consul\. hostmaster\.consul\. \d+ 3600 600 86400 0$/);
    await report(started, 'passing');
    expect(await dig(started.dns, '+noedns', NAME, 'SRV')).toMatchObject(UP);
  });

  test('gives both transcripts on port 53', async (context) => {
    // An address of its own: the machine's resolver may hold port 53 of 127.0.0.1.
    const at = { address: '127.53.53.53', port: 53 };
    const started = await start([STAGING], { disableCompression: true }, at).catch((error: unknown) => {
      if ((error as { code?: string }).code === 'DNS_PORT_DENIED') return null;
      throw error;
    });
    if (started === null) return context.skip('port 53 needs root');
    expect(await dig(started.dns, '+noedns', NAME, 'SRV')).toEqual({ ...UP, octets: 156 });
  });

  test('tells of what did not fit, and gives all of it over TCP', async () => {
    const many = Array.from({ length: 300 }, (_, index) => ({
      name: `node-${index}`,
      address: `10.0.${index >> 8}.${index & 255}`,
      services: [{ service: 'web', port: 80 }],
    }));
    const { dns } = await start(many);
    const web = ['web.service.consul', 'SRV'];
    expect((await dig(dns, '+noedns', '+ignore', ...web)).answer).toHaveLength(3);
    expect((await dig(dns, '+noedns', '+ignore', ...web)).flags).toBe('qr aa tc rd');
    expect((await dig(dns, '+bufsize=4096', '+ignore', ...web)).answer.length).toBeGreaterThan(60);
    const whole = await dig(dns, ...web);
    expect([whole.answer.length, whole.flags]).toEqual([300, 'qr aa rd']);
    expect((await dig(dns, '+tcp', 'web.service.consul', 'A')).answer).toHaveLength(300);
  });

  test('echoes the spelling, EDNS and the subnet, and finds addresses', async () => {
    const { dns } = await start([STAGING]);
    const spelled = await dig(dns, '+subnet=10.1.0.0/16', 'ElasticSearch.service.CONSUL', 'A');
    expect(spelled.answer).toEqual(['ElasticSearch.service.CONSUL. 0 IN A 172.31.0.9']);
    expect(spelled.counts).toEqual([1, 0, 1]);
    expect((await dig(dns, '-x', '172.31.0.9')).answer).toEqual([
      '9.0.31.172.in-addr.arpa. 0 IN PTR staging.node.aws.consul.',
    ]);
    expect((await dig(dns, 'ac1f0009.addr.consul', 'A')).answer).toEqual(['ac1f0009.addr.consul. 0 IN A 172.31.0.9']);
  });

  test.each([
    ['REFUSED', ['example.com', 'A']],
    ['NXDOMAIN', ['nope.service.consul', 'A']],
    ['NXDOMAIN', ['elasticsearch.service.gce.consul', 'A']],
    ['NOERROR', ['elasticsearch.service.consul', 'AAAA']],
    ['NOTIMP', ['+opcode=update', 'consul', 'SOA']],
    ['BADVERS', ['+edns=1', '+noednsneg', 'consul', 'SOA']],
  ])('says %s to %j', async (status, words) => {
    const { dns } = await start([STAGING]);
    expect(await dig(dns, ...words)).toMatchObject({ status, answer: [] });
  });
});
