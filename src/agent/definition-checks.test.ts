import { expect, test } from 'vitest';
import { instanceRecordOf } from '../registry/testing.ts';
import { definitionChecks } from './definition-checks.ts';
import { Registrations } from './registrations.ts';

const TTL = { ttlMs: 10_000 } as const;

test('definitionChecks() takes no check of another instance, whose id it would have', async () => {
  await using registrations = await Registrations.open(null, () => {});
  registrations.setService(instanceRecordOf({ id: 'web', service: 'web' }), 'api');
  registrations.setService(instanceRecordOf({ id: 'web:1', service: 'mine' }), 'api');
  const offered = { web: [TTL, TTL], 'web:1': [TTL] };
  const own = definitionChecks(registrations, 'web', offered);
  expect(own.map(({ id }) => id)).toEqual(['service:web:1', 'service:web:2']);
  for (const check of own) registrations.setCheck(check);
  expect(definitionChecks(registrations, 'web:1', offered)).toEqual([]);
  expect(definitionChecks(registrations, 'web', offered)).toEqual(own);
});
