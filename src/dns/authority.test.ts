import { expect, test } from 'vitest';
import type { Authority, Resource } from '../access/index.ts';
import { ALL_ALLOWED } from '../access/index.ts';
import { RCODE, TYPE } from '../message/index.ts';
import type { RegionLiteral } from '../registry/testing.ts';
import { catalogOf } from '../registry/testing.ts';
import { TestZone, lines } from './testing.ts';

const REGION: RegionLiteral = {
  nodes: [
    {
      name: 'open-1',
      address: '10.0.0.1',
      services: [
        { service: 'open-web', port: 80 },
        { service: 'shut-web', port: 81 },
      ],
    },
    { name: 'shut-1', address: '10.0.0.2', services: [{ service: 'open-web', port: 82, address: '10.0.1.2' }] },
    { name: 'open-2', address: '10.0.0.3', services: [{ service: 'shut-web', port: 83, address: '10.0.1.3' }] },
  ],
};

/** Reads what begins with one of `open`, and no other service or node. */
const reader = (id: string, open: readonly string[]): Authority => ({
  ...ALL_ALLOWED,
  id,
  allows: (resource: Resource, name: string) =>
    (resource === 'service' || resource === 'node') && open.some((prefix) => name.startsWith(prefix)),
});

function zone(first: Authority): { zone: TestZone; become: (next: Authority) => void } {
  let now = first;
  const queries = {
    execute: () => ({
      service: 'open-web',
      instances: catalogOf(REGION).instances('open-web'),
      ttlSeconds: null,
      isOrdered: true,
    }),
  };
  const options = { servers: ['open-1', 'shut-1'] };
  return {
    zone: new TestZone(REGION, options, { authority: () => now, queries }),
    become: (next) => void (now = next),
  };
}

const OPEN = reader('open', ['open']);

test('what the authority may not see is not there', () => {
  const { zone: one } = zone(OPEN);
  expect(lines(one.ask('open-web.service.consul.', TYPE.SRV).answers)).toEqual([
    'open-web.service.consul. 0 SRV 1 1 80 open-1.node.aws.consul.',
  ]);
  expect(one.ask('open-1.node.consul.', TYPE.A).answers).toHaveLength(1);
  for (const [name, type] of [
    ['shut-web.service.consul.', TYPE.A],
    ['_shut-web._tcp.consul.', TYPE.SRV],
    ['shut-1.node.consul.', TYPE.A],
    ['2.0.0.10.in-addr.arpa.', TYPE.PTR],
    ['3.1.0.10.in-addr.arpa.', TYPE.PTR],
    ['2.1.0.10.in-addr.arpa.', TYPE.PTR],
  ] as const)
    expect([name, one.ask(name, type).rcode]).toEqual([name, RCODE.NXDOMAIN]);
});

test('prepared queries and name servers leave out what the authority may not see', () => {
  const { zone: one } = zone(OPEN);
  expect(one.ask('geo.query.consul.', TYPE.SRV).answers).toHaveLength(1);
  expect(lines(one.ask('consul.', TYPE.NS).answers)).toEqual(['consul. 0 NS open-1.node.aws.consul.']);
});

test('an authority without anything is told nothing of the catalog, and an address in a name still', () => {
  const { zone: one } = zone(reader('none', []));
  for (const name of ['open-web.service.consul.', 'open-1.node.consul.', 'geo.query.consul.'])
    expect(one.ask(name, TYPE.A).rcode).toBe(RCODE.NXDOMAIN);
  expect(one.ask('0a000001.addr.consul.', TYPE.A).answers).toHaveLength(1);
});

test('prebuilt answers go when the authority is another', () => {
  const { zone: one, become } = zone(ALL_ALLOWED);
  const seen = (): number => one.ask('open-web.service.consul.', TYPE.SRV).answers.length;
  const owner = (): number => one.ask('2.1.0.10.in-addr.arpa.', TYPE.PTR).answers.length;
  expect([seen(), owner()]).toEqual([2, 1]);
  become(OPEN);
  expect([seen(), owner()]).toEqual([1, 0]);
  become(reader('none', []));
  expect([seen(), owner()]).toEqual([0, 0]);
  become(ALL_ALLOWED);
  expect([seen(), owner()]).toEqual([2, 1]);
});

test('prebuilt answers follow the catalog under every authority', () => {
  const { zone: one } = zone(OPEN);
  expect(one.ask('open-web.service.consul.', TYPE.A).answers).toHaveLength(1);
  one.change({ nodes: [] }, { services: ['open-web'], nodes: ['open-1'] });
  expect(one.ask('open-web.service.consul.', TYPE.A).rcode).toBe(RCODE.NXDOMAIN);
});

test('nothing is told while nobody knows what may be, and that is said once', () => {
  const errors: unknown[] = [];
  let isKnown = false;
  const authority = (): Authority => {
    if (!isKnown) throw new Error('ACL not found');
    return ALL_ALLOWED;
  };
  const one = new TestZone(REGION, {}, { authority, onError: (error) => errors.push(error) });
  for (let round = 0; round < 3; round++)
    expect(one.ask('open-web.service.consul.', TYPE.A).rcode).toBe(RCODE.NXDOMAIN);
  expect(errors).toHaveLength(1);
  isKnown = true;
  expect(one.ask('open-web.service.consul.', TYPE.A).answers).toHaveLength(2);
});
