import { describe, expect, test } from 'vitest';
import { startTestRegistry } from './testing.ts';
import { KnownServers } from './known-servers.ts';
import { serverKey } from './keys.ts';
import type { ServerRecord } from './records.ts';

const record = (name: string, more: Partial<ServerRecord> = {}): ServerRecord => ({
  name,
  address: '10.0.0.1',
  httpPort: 8_500,
  version: '1',
  datacenter: 'aws',
  protocol: 1,
  incarnation: `${name}.1`,
  ...more,
});

describe('KnownServers', () => {
  test('list() follows what servers say, in order of name, and what is damaged is left out', async () => {
    const errors: unknown[] = [];
    const known = new KnownServers({ report: (error) => errors.push(error) });
    await using region = await startTestRegistry({ projections: [known] });
    const put = (name: string, value: string) =>
      region.feed.commit({ compares: [], writes: [{ type: 'put', key: serverKey(name), value }] });
    const lines: string[] = [];
    region.feed.onApplied(({ summary, topics }) => void (topics.has('servers') && lines.push(...summary)));
    await put('b', JSON.stringify(record('b')));
    await put('a/1', JSON.stringify(record('a/1')));
    for (const value of [
      '{',
      'null',
      '7',
      '[]',
      JSON.stringify(record('a/1')),
      JSON.stringify(record('c', { httpPort: 65_536 })),
    ])
      await put('c', value);
    expect(known.list().map(({ name }) => name)).toEqual(['a/1', 'b']);
    await put('b', JSON.stringify(record('b', { httpPort: 1 })));
    expect(known.get('b')?.httpPort).toBe(1);
    await region.feed.commit({ compares: [], writes: [{ type: 'delete', key: serverKey('b') }] });
    expect(known.get('b')).toBeUndefined();
    expect(lines).toEqual(['server b started', 'server a/1 started', 'server b gone']);
    expect(errors).toHaveLength(6);
    expect([...known.held()].map(({ key }) => key)).toEqual(['srv/a%2F1']);
  });
});
