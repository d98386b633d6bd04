import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testFrontend, testMember } from './testing.ts';
import { endpoint, unusableMembers, wantedBackend, weightScale } from './wanted.ts';

describe('weightScale()', () => {
  for (const [weights, scaled] of [
    [
      [1, 1],
      [100, 100],
    ],
    [
      [1, 2],
      [100, 200],
    ],
    [
      [3, 1],
      [256, 85],
    ],
    [
      [10, 10],
      [256, 256],
    ],
    [
      [1000, 1, 0],
      [256, 1, 0],
    ],
    [[], []],
  ] as const) {
    it(`makes ${JSON.stringify(weights)} ${JSON.stringify(scaled)}`, () => {
      const scale = weightScale(weights.map((weight) => ({ weight })));
      expect(weights.map(scale)).toEqual(scaled);
    });
  }

  it('stays within 0-256, keeps the order, and takes traffic from nobody who had some', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(65_535), { minLength: 1 }), (weights) => {
        const scale = weightScale(weights.map((weight) => ({ weight })));
        for (const weight of weights) {
          expect(scale(weight)).toBeLessThanOrEqual(256);
          expect(scale(weight) > 0).toBe(weight > 0);
          for (const other of weights) if (other > weight) expect(scale(other)).toBeGreaterThanOrEqual(scale(weight));
        }
      }),
    );
  });
});

describe('wantedBackend()', () => {
  it('orders members by key and writes addresses as HAProxy prints them', () => {
    const members = [testMember('b/x', { address: '0:0:0:0:0:0:0:1' }), testMember('a/x')];
    const { servers } = wantedBackend(testFrontend(members));
    expect(servers.map((server) => `${server.key} ${server.address}`)).toEqual(['a/x 127.0.0.1', 'b/x ::1']);
  });

  it('leaves out a member whose name HAProxy could not read, and unusableMembers() says so in one short line', () => {
    const frontend = testFrontend([
      testMember('a/x'),
      testMember(`a/${'L'.repeat(3_000)}`),
      testMember('a/y', { address: '10.0.0.1 weight 1\n  server evil 192.0.2.1' }),
    ]);
    expect(wantedBackend(frontend).servers.map(({ key }) => key)).toEqual(['a/x']);
    const [long = '', evil = ''] = unusableMembers(frontend);
    expect(long).toMatch(/^api: a name is too long for HAProxy: a.LLL/);
    expect(long.length).toBeLessThan(400);
    expect(evil).toContain('10.0.0.1 weight 1?  server evil');
    expect(long + evil).not.toMatch(/[\n\r]/);
  });

  it('leaves out what has no address or port, and unusableMembers() says so', () => {
    const frontend = testFrontend([
      testMember('a/x', { address: 'db.example.com' }),
      testMember('b/x', { port: 0 }),
      testMember('c/x', { port: 70_000 }),
      testMember('d/x'),
    ]);
    expect(wantedBackend(frontend).servers.map((server) => server.key)).toEqual(['d/x']);
    expect(unusableMembers(frontend)).toEqual([
      'api: a/x has no usable address: db.example.com:80',
      'api: b/x has no usable address: 127.0.0.1:0',
      'api: c/x has no usable address: 127.0.0.1:70000',
    ]);
  });
});

describe('endpoint()', () => {
  it('brackets IPv6', () => {
    expect(endpoint('127.0.0.1', 80)).toBe('127.0.0.1:80');
    expect(endpoint('::1', 80)).toBe('[::1]:80');
  });
});
