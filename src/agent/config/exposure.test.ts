import { expect, test } from 'vitest';
import { exposureOf } from './exposure.ts';

const at = (address: string, remote = false, port = 8500) => ({
  http: { addresses: [address], port },
  scripts: { local: true, remote },
});

test.each(['127.0.0.1', '127.8.0.1', '::1', '::ffff:127.0.0.1'])(
  'exposureOf() says nothing of HTTP on %s',
  (address) => {
    expect(exposureOf(at(address))).toEqual([]);
  },
);

test.each(['0.0.0.0', '::', '10.0.0.7', '192.0.2.1', 'fe80::1', '::ffff:10.0.0.1', '128.0.0.1'])(
  'exposureOf() warns of HTTP on %s, where also secrets can be read',
  (address) => {
    expect(exposureOf(at(address))).toEqual([expect.stringMatching(/without TLS and access control.*every secret/)]);
  },
);

test('exposureOf() says nothing of HTTP that is switched off', () => {
  expect(exposureOf(at('0.0.0.0', true, -1))).toEqual([]);
});

test('exposureOf() refuses commands from the network, and warns where every local user can send them', () => {
  expect(() => exposureOf(at('0.0.0.0', true))).toThrow(/enable_script_checks with HTTP on 0\.0\.0\.0/);
  expect(exposureOf(at('127.0.0.1', true))).toEqual([expect.stringContaining('every user of this machine')]);
});

test('exposureOf() warns of what goes over the network unencrypted where access control is closed, and refuses nothing', () => {
  const closed = (address: string) => exposureOf({ ...at(address, true), isClosed: true });
  expect(closed('0.0.0.0')).toEqual([expect.stringMatching(/without TLS: .*tokens and secrets/)]);
  expect(closed('127.0.0.1')).toEqual([]);
});
