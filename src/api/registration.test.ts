import { expect, test } from 'vitest';
import { parseCheckRegistration, parseServiceRegistration } from './registration.ts';

const FILE = { unknownKeys: 'refuse' } as const;
const WIRE = { unknownKeys: 'ignore' } as const;

test("parseServiceRegistration() reads the document's own service of 2014", () => {
  const service = {
    name: 'elasticsearch',
    port: 9200,
    check: { script: 'curl -s http://127.0.0.1:9200', interval: '10s' },
  };
  expect(parseServiceRegistration(service, FILE)).toEqual({
    instance: {
      id: 'elasticsearch',
      service: 'elasticsearch',
      tags: [],
      address: '',
      port: 9200,
      meta: {},
      weights: { passing: 1, warning: 1 },
      enableTagOverride: false,
      taggedAddresses: {},
    },
    checks: [{ script: 'curl -s http://127.0.0.1:9200', intervalMs: 10_000 }],
  });
});

test.each([
  ['10.0.0.1', ['lan_ipv4', 'wan_ipv4']],
  ['2001:db8::1', ['lan_ipv6', 'wan_ipv6']],
  ['web.internal', []],
  ['', []],
])('parseServiceRegistration() gives address %j its tagged addresses', (address, keys) => {
  const { taggedAddresses } = parseServiceRegistration({ name: 'x', address, port: 1 }, WIRE).instance;
  expect(Object.keys(taggedAddresses)).toEqual(keys);
  for (const tagged of Object.values(taggedAddresses)) expect(tagged).toEqual({ address, port: 1 });
});

test('parseServiceRegistration() keeps tagged addresses that are given', () => {
  const tagged_addresses = { lan_ipv4: { address: '10.9.9.9', port: 9 } };
  const { instance } = parseServiceRegistration({ name: 'x', address: '10.0.0.1', port: 1, tagged_addresses }, WIRE);
  expect(instance.taggedAddresses['lan_ipv4']).toEqual({ address: '10.9.9.9', port: 9 });
});

test.each([
  [{ name: 'x', prot: 1 }, 'unknown key "prot" in a service: did you mean "port"?'],
  [{ name: 'x', enable_tag_overide: true }, 'did you mean "enable_tag_override"?'],
  [{ name: 'x', weights: { pasing: 1 } }, 'unknown key "pasing" in the weights of a service: did you mean "passing"?'],
  [{ name: 'x', tagged_addresses: { lan: { adress: 'x' } } }, 'in a tagged address: did you mean "address"?'],
])('parseServiceRegistration() refuses keys that nobody knows in our own files: %j', (value, text) => {
  expect(() => parseServiceRegistration(value, FILE)).toThrow(text);
  expect(() => parseServiceRegistration(value, WIRE)).not.toThrow();
});

test.each(['Name', 'NAME', 'name'])('parseServiceRegistration() takes %s in our own files, too', (key) => {
  expect(parseServiceRegistration({ [key]: 'x', EnableTagOverride: true }, FILE).instance).toMatchObject({
    service: 'x',
    enableTagOverride: true,
  });
});

test('parseCheckRegistration() reads a check with its service', () => {
  const check = { id: 'up', name: 'Up', service_id: 'web', ttl: '10s' };
  expect(parseCheckRegistration(check, FILE)).toMatchObject({
    serviceId: 'web',
    definition: { id: 'up', ttlMs: 10_000 },
  });
});

test.each([
  [{ ttl: '10s' }, 'Missing check name'],
  [{ name: 'x'.repeat(300), ttl: '10s' }, 'the id of a check'],
  [{ name: 'x', ttl: '10x' }, ''],
  ['x', 'expected an object'],
])('parseCheckRegistration() refuses %j', (value, text) => {
  for (const options of [FILE, WIRE]) expect(() => parseCheckRegistration(value, options)).toThrow(text);
});
