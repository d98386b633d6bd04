import { describe, expect, test } from 'vitest';
import { parseDefinition } from './parse-definition.ts';
import { type InstanceFacts, checksFor, portOf, renderCheck, renderProvided } from './provided.ts';

const instance: InstanceFacts = {
  host: '10.0.0.1',
  port: 1100,
  id: 'api-1',
  node: 'node-1',
  region: 'aws',
  meta: { rack: 'r7' },
};
const ipv6 = { ...instance, host: 'fd00::1' };
const provider = (template: string, more = {}) => parseDefinition({ id: 'api', provides: { X: template }, ...more });

describe('renderProvided()', () => {
  test.each([
    ['http://{HOST}:{PORT}/some-mount', 'http://10.0.0.1:1100/some-mount'],
    ['http://{host}:{port}', 'http://10.0.0.1:1100'],
    ['{ID} {NODE} {REGION} {META.rack} {meta.rack}', 'api-1 node-1 aws r7 r7'],
    ['http://elastic-ec2-01,elastic-ec2-02:9200', 'http://elastic-ec2-01,elastic-ec2-02:9200'],
    ['{{{HOST}}}', '{10.0.0.1}'],
  ])('fills %s', (template, value) => {
    expect(renderProvided(provider(template), 'X', instance)).toBe(value);
  });

  test.each([
    ['http://{HOST}:{PORT}/', 'http://[fd00::1]:1100/'],
    ['http://{HOST}/', 'http://[fd00::1]/'],
    ['mysql://user:pw@{HOST}/db', 'mysql://user:pw@[fd00::1]/db'],
    ['{HOST}:{PORT}', '[fd00::1]:1100'],
    ['http://[{HOST}]:{PORT}', 'http://[fd00::1]:1100'],
    ['host={HOST} port={PORT}', 'host=fd00::1 port=1100'],
    ['{HOST}', 'fd00::1'],
  ])('brackets an IPv6 host in %s where a URL needs it', (template, value) => {
    expect(renderProvided(provider(template), 'X', ipv6)).toBe(value);
  });

  test("uses the service's own environment, and its meta where the instance has none", () => {
    const definition = provider('{ENV}/{META.rack}/{META.zone}', {
      environment: { ENV: 'prod' },
      meta: { rack: 'r1', zone: 'z1' },
    });
    expect(renderProvided(definition, 'X', instance)).toBe('prod/r7/z1');
  });

  test.each([
    ['{META.gone}', {}],
    ['{META.constructor}', {}],
  ])('gives undefined for %s when nothing says', (template, more) => {
    expect(renderProvided(provider(template, more), 'X', instance)).toBeUndefined();
  });

  test('gives undefined for a name that is not provided', () => {
    expect(renderProvided(provider('x'), 'toString', instance)).toBeUndefined();
  });
});

test.each([
  [7, { environment: { PORT: 8 }, local_port: 9 }, 7],
  [0, { environment: { PORT: 8 }, local_port: 9 }, 8],
  [0, { local_port: 9 }, 9],
  [0, { environment: { PORT: 'x' }, local_port: 9 }, 9],
  [0, { environment: { PORT: 70_000 } }, undefined],
  [0, {}, undefined],
])('portOf() an instance with port %i of %j is %s', (port, more, expected) => {
  expect(portOf(parseDefinition({ id: 'x', ...more }), port)).toBe(expected);
});

describe('renderCheck()', () => {
  const definition = parseDefinition({ id: 'x' });

  test.each([
    [{ tcp: '{HOST}:{PORT}' }, { tcp: '10.0.0.1:1100' }],
    [
      { http: 'http://{host}:{port}/a?{b}', body: '{HOST}' },
      { http: 'http://10.0.0.1:1100/a?{b}', body: '{HOST}' },
    ],
    [{ script: "awk '{print $1}' /{ID}" }, { script: "awk '{print $1}' /api-1" }],
    [{ args: ['check', '{HOST}', '{"a": {}}', ''] }, { args: ['check', '10.0.0.1', '{"a": {}}', ''] }],
    [{ ttlMs: 1_000 }, { ttlMs: 1_000 }],
    [{ udp: '{HOST}:{PORT}' }, { udp: '10.0.0.1:1100' }],
    [
      { grpc: '{HOST}:{PORT}/{ID}', grpcUseTls: true },
      { grpc: '10.0.0.1:1100/api-1', grpcUseTls: true },
    ],
    [{ h2ping: '{HOST}:{PORT}' }, { h2ping: '10.0.0.1:1100' }],
    [
      { dockerContainerId: '{ID}', args: ['curl', '{HOST}'] },
      { dockerContainerId: 'api-1', args: ['curl', '10.0.0.1'] },
    ],
    [{ osService: 'api@{PORT}' }, { osService: 'api@1100' }],
    [
      { aliasService: '{ID}-proxy', aliasNode: '{NODE}' },
      { aliasService: 'api-1-proxy', aliasNode: 'node-1' },
    ],
  ])('fills %j', (check, expected) => {
    expect(renderCheck(check, definition, instance)).toEqual(expected);
  });

  test('brackets an IPv6 host', () => {
    expect(renderCheck({ tcp: '{HOST}:{PORT}' }, definition, ipv6)).toEqual({ tcp: '[fd00::1]:1100' });
  });

  test('gives undefined when a port is asked for and none is known', () => {
    expect(renderCheck({ tcp: '{HOST}:{PORT}' }, definition, { ...instance, port: 0 })).toBeUndefined();
  });
});

test('checksFor() an http provider without check connects to the instance', () => {
  expect(checksFor(provider('http://{HOST}'), instance)).toEqual([
    { name: 'TCP connect', tcp: '10.0.0.1:1100', intervalMs: 10_000, timeoutMs: 5_000 },
  ]);
  expect(checksFor(provider('http://{HOST}'), { ...instance, port: 0 })).toEqual([]);
});
