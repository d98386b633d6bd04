import { expect, test } from 'vitest';
import { serviceFileManual, serviceFileSchema } from './manual.ts';
import { serviceSchema } from './schema.ts';

test('serviceFileManual() explains every key of the service file and of a check', () => {
  const manual = serviceFileManual();
  for (const key of Object.keys(serviceSchema.shape)) expect(manual).toContain(`\n| \`${key}\` | `);
  expect(manual).toContain('| `tls_skip_verify` | `true` or `false` | Takes any certificate. |');
});

test('serviceFileSchema() refuses unknown keys and wants an id', () => {
  expect(serviceFileSchema()).toMatchObject({ type: 'object', required: ['id'], additionalProperties: false });
});

test('serviceFileSchema() describes every key', () => {
  const properties = serviceFileSchema()['properties'] as Record<string, { description?: string }>;
  expect(Object.entries(properties).filter(([, field]) => field.description === undefined)).toEqual([]);
});
