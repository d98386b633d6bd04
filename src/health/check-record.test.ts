import { expect, test } from 'vitest';
import type { CheckDefinition } from '../definition/index.ts';
import { FakeClock } from '../lib/index.ts';
import { type CheckOwner, checkRecordOf } from './check-record.ts';

const clock = new FakeClock();
const tcp = { tcp: '127.0.0.1:80' };

test.each<[CheckDefinition, CheckOwner, string, string]>([
  [tcp, { serviceId: 'web-1', serviceName: 'web' }, 'service:web-1', "Service 'web' check"],
  [tcp, { serviceId: 'web', index: 0, count: 2 }, 'service:web:1', "Service 'web' check"],
  [tcp, { serviceId: 'web', index: 1, count: 2 }, 'service:web:2', "Service 'web' check"],
  [{ ...tcp, id: 'mine', name: 'Mine' }, { serviceId: 'web', index: 1, count: 2 }, 'mine', 'Mine'],
  [{ ...tcp, name: 'ssh' }, {}, 'ssh', 'ssh'],
  [{ ...tcp, id: 's', name: 'ssh' }, {}, 's', 'ssh'],
])('checkRecordOf(%j, %j) has the id %s and the name %s', (definition, owner, id, name) => {
  expect(checkRecordOf(definition, owner, clock)).toMatchObject({ id, name, serviceId: owner.serviceId ?? '' });
});

test('checkRecordOf() fills in what Consul shows of a check', () => {
  const definition = {
    http: 'http://u:secret@a/x',
    method: 'PUT',
    header: { Authorization: ['Bearer secret'], Accept: ['*/*'] },
    tlsSkipVerify: true,
    intervalMs: 10_000,
    timeoutMs: 1_500,
    deregisterCriticalServiceAfterMs: 90_000,
    notes: 'a note',
  };
  expect(checkRecordOf(definition, { serviceId: 'a' }, clock)).toEqual({
    id: 'service:a',
    name: "Service 'a' check",
    serviceId: 'a',
    notes: 'a note',
    status: 'unknown',
    output: '',
    type: 'http',
    interval: '10s',
    timeout: '1.5s',
    since: '2026-01-01T00:00:00.000Z',
    definition: {
      HTTP: 'http://u:xxxxx@a/x',
      Method: 'PUT',
      Header: { Authorization: ['<hidden>'], Accept: ['*/*'] },
      TLSSkipVerify: true,
      Interval: '10s',
      Timeout: '1.5s',
      DeregisterCriticalServiceAfter: '1m30s',
    },
  });
});

test('checkRecordOf() of a TTL check has no interval, and the status it is told to begin with', () => {
  const record = checkRecordOf({ ttlMs: 10_000, initialStatus: 'passing' }, { serviceId: 'a' }, clock);
  expect(record).toMatchObject({
    type: 'ttl',
    interval: '',
    timeout: '',
    status: 'passing',
    definition: { TTL: '10s' },
  });
});

test('checkRecordOf() shows no script, which may hold secrets', () => {
  const record = checkRecordOf({ args: ['check_mysql', '-p', 'secret'] }, { serviceId: 'a' }, clock);
  expect(JSON.stringify(record)).not.toContain('secret');
  expect(record.type).toBe('script');
});
