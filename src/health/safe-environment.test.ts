import { expect, test } from 'vitest';
import { safeEnvironment } from './safe-environment.ts';

test('safeEnvironment() keeps what programs need and none of the secrets', () => {
  const own = {
    PATH: '/opt/bin',
    HOME: '/root',
    LC_ALL: 'C',
    TZ: undefined,
    DROVER_TOKEN: 'secret',
    AWS_SECRET_ACCESS_KEY: 'secret',
    LD_PRELOAD: 'x.so',
    NODE_OPTIONS: '--inspect',
  };
  expect(safeEnvironment(own)).toEqual({ PATH: '/opt/bin', HOME: '/root', LC_ALL: 'C' });
});

test('safeEnvironment() has a PATH where the agent has none', () => {
  expect(safeEnvironment({})).toEqual({ PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' });
});
