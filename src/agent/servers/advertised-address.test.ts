import { describe, expect, test } from 'vitest';
import { advertisedAddress } from './advertised-address.ts';

const at = (httpAddresses: string[], nodeAddress: string, store = 'etcd://10.0.0.9:2379') =>
  advertisedAddress({ httpAddresses, nodeAddress, store });

describe('advertisedAddress()', () => {
  test.each([
    [['10.0.0.1'], '10.0.0.1', '10.0.0.1'],
    [['127.0.0.1', '10.0.0.1'], '10.0.0.1', '10.0.0.1'],
    [['0.0.0.0'], '10.0.0.1', '10.0.0.1'],
    [['::'], '10.0.0.1', '10.0.0.1'],
    [['10.0.0.2'], '10.0.0.1', '10.0.0.2'],
    [['127.0.0.1'], '10.0.0.1', '127.0.0.1'],
    [[], '10.0.0.1', '10.0.0.1'],
  ])('advertisedAddress() with HTTP on %j of a node at %s is %s', (addresses, node, expected) => {
    expect(at(addresses, node).address).toBe(expected);
  });

  test.each([
    [['10.0.0.2'], '203.0.113.1', '203.0.113.1'],
    [['0.0.0.0'], '203.0.113.1', '203.0.113.1'],
    [['127.0.0.2'], '127.0.1.2', '127.0.1.2'],
    [['127.0.0.1'], '10.0.0.1', '127.0.0.1'],
  ])('advertisedAddress() with HTTP on %j, advertised as %s, is %s', (httpAddresses, advertised, expected) => {
    const store = 'etcd://10.0.0.9:2379';
    expect(advertisedAddress({ httpAddresses, nodeAddress: advertised, advertised, store }).address).toBe(expected);
  });

  test.each([
    'etcd://10.0.0.9:2379',
    'etcd://127.0.0.1:2379,10.0.0.9:2379',
    'etcd://etcd-1:2379/name',
    'etcd://[fd00::1]:2379',
  ])('advertisedAddress() warns of a server that nobody reaches, whose store is %s', (store) => {
    expect(at(['127.0.0.1'], '10.0.0.1', store).warning).toContain('no other server and no agent can reach');
  });

  test.each([
    'etcd://127.0.0.1:2379',
    'etcd://localhost:2379',
    'etcd://[::1]:2379',
    'sqlite:/var/lib/drover',
    'memory:',
  ])('advertisedAddress() has nothing to warn of with %s', (store) => {
    expect(at(['127.0.0.1'], '127.0.0.1', store).warning).toBeNull();
  });
});
