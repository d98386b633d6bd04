import { describe, expect, test } from 'vitest';
import { fileNameOf, planFiles } from './plan-files.ts';
import { summarise } from './summarise.ts';
import { environmentOf, variableOf } from './testing.ts';

const missing = { service: 'app', variables: [variableOf('API_URL', null), variableOf('DB_URL', null)] };
const waiting = { service: 'job', variables: [variableOf('API_URL', null, { state: 'waiting' })] };

describe('planFiles()', () => {
  test('writes what is whole, keeps what is not and removes what drover wrote for services that are gone', () => {
    const plan = planFiles([environmentOf('api', { A: 'x' }), missing, waiting], ['api.conf', 'app.conf', 'old.conf']);
    expect(plan).toEqual({
      write: [{ service: 'api', file: 'api.conf', content: "export A='x'\n" }],
      kept: [
        { service: 'app', outcome: 'refused', reason: 'app: API_URL is missing, DB_URL is missing' },
        { service: 'job', outcome: 'held', reason: 'job: API_URL has no value yet' },
      ],
      remove: ['old.conf'],
    });
  });

  test('writes secrets: the file is what they are for', () => {
    const environment = { service: 'app', variables: [variableOf('A', 'hidden', { secret: true })] };
    expect(planFiles([environment], []).write[0]?.content).toBe("export A='hidden'\n");
  });

  test('refuses a value with NUL', () => {
    expect(planFiles([environmentOf('app', { A: '\0' })], []).kept[0]).toMatchObject({ outcome: 'refused' });
  });
});

test.each([
  ['app-www', 'app-www.conf'],
  ['../../etc/passwd', '..%2F..%2Fetc%2Fpasswd.conf'],
  ['..', '...conf'],
  ['a b', 'a%20b.conf'],
])('fileNameOf() keeps %j in its directory', (service, expected) => {
  expect(fileNameOf(service)).toBe(expected);
});

describe('summarise()', () => {
  const error = (code: string): Error => Object.assign(new Error(`${code}: it failed`), { code });
  const held = { service: 'job', outcome: 'held', reason: 'job: X has no value yet' } as const;
  const refused = { service: 'app', outcome: 'refused', reason: 'app: Y is missing' } as const;

  test('is applied or unchanged when nothing is in the way', () => {
    expect(summarise([], [], true)).toEqual({ outcome: 'applied' });
    expect(summarise([], [], false)).toEqual({ outcome: 'unchanged' });
  });

  test('is the worst of all, with every reason', () => {
    expect(summarise([held], [], true)).toEqual({ outcome: 'held', reason: held.reason });
    expect(summarise([held, refused], [], true)).toEqual({
      outcome: 'refused',
      reason: `${held.reason}; ${refused.reason}`,
    });
  });

  test('is refused without rights and failed otherwise', () => {
    expect(summarise([held], [{ file: 'a', error: error('EACCES') }], false).outcome).toBe('refused');
    expect(summarise([], [{ file: 'a', error: error('ENOSPC') }], false)).toEqual({
      outcome: 'failed',
      reason: 'ENOSPC: it failed',
    });
    const both = [
      { file: 'a', error: error('EACCES') },
      { file: 'b', error: error('EIO') },
    ];
    expect(summarise([], both, false).outcome).toBe('failed');
  });
});
