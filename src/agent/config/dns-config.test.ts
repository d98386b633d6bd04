import { expect, test } from 'vitest';
import { dnsOptionsOf } from '../dns-options.ts';
import { recursorWarnings, toDnsConfig } from './dns-config.ts';
import { dnsSchema } from './schema.ts';

test('toDnsConfig() gives what is said, and nothing else', () => {
  expect(toDnsConfig({})).toEqual({});
  const given = dnsSchema.parse({
    node_ttl: '5s',
    service_ttl: { 'w*': '1m' },
    only_passing: true,
    udp_answer_limit: 5,
    a_record_limit: 2,
    enable_truncate: false,
    disable_compression: true,
    enable_additional_node_meta_txt: false,
    recursor_strategy: 'random',
    recursor_timeout: '500ms',
    soa: { refresh: 1, min_ttl: 2 },
    allow_stale: false,
    max_stale: '10s',
    use_cache: true,
    cache_max_age: '5s',
  });
  expect(
    toDnsConfig({ dns_config: given, recursors: ['192.0.2.1', '192.0.2.2:54'], recursor: '192.0.2.2:54' }),
  ).toEqual({
    nodeTtlMs: 5_000,
    serviceTtlMs: { 'w*': 60_000 },
    onlyPassing: true,
    udpAnswerLimit: 5,
    aRecordLimit: 2,
    enableTruncate: false,
    disableCompression: true,
    nodeMetaTxt: false,
    recursors: ['192.0.2.2:54', '192.0.2.1'],
    recursorStrategy: 'random',
    recursorTimeoutMs: 500,
    soa: { refresh: 1, minTtl: 2 },
  });
});

test('dnsOptionsOf() makes of it what DNS answers by', () => {
  const dnsConfig = toDnsConfig({ dns_config: dnsSchema.parse({ node_ttl: '1500ms' }), recursors: ['[fd00::1]:54'] });
  const config = { domain: 'Corp.Example', altDomain: null, datacenter: 'aws', legacy: true, dnsConfig };
  expect(dnsOptionsOf(config, 'n1')).toMatchObject({
    domain: 'corp.example.',
    nodeTtl: 1,
    servers: ['n1'],
    enableTruncate: false,
    recursors: [{ address: 'fd00::1', port: 54 }],
    recursorTimeoutMs: 2_000,
  });
});

const at = (addresses: string[], recursors: string[], port = 53): string[] =>
  recursorWarnings({ dns: { addresses, port }, dnsConfig: { recursors } });

test('recursorWarnings() warns of strangers, and of asking oneself', () => {
  expect(at(['127.0.0.1', '::1'], ['192.0.2.1'])).toEqual([]);
  expect(at(['0.0.0.0'], [])).toEqual([]);
  expect(at(['0.0.0.0'], ['192.0.2.1'], -1)).toEqual([]);
  expect(at(['127.0.0.1', '10.0.0.1'], ['192.0.2.1'])).toEqual([expect.stringContaining('DNS answers on 10.0.0.1')]);
  expect(at(['127.0.0.1'], ['127.0.0.1', '127.0.0.1:54'])).toEqual([
    'recursors: 127.0.0.1 is where this agent answers itself; it is never asked',
  ]);
});
