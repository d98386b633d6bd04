import { expect, test } from 'vitest';
import { isLoopback } from './loopback.ts';

test.each(['127.0.0.1', '127.8.0.1', '::1', '::ffff:127.0.0.1', '::FFFF:127.0.0.1'])(
  'isLoopback() knows %s',
  (address) => {
    expect(isLoopback(address)).toBe(true);
  },
);

test.each(['0.0.0.0', '::', '10.0.0.7', '128.0.0.1', 'fe80::1', '::ffff:10.0.0.1', '1::1', '1127.0.0.1'])(
  'isLoopback() takes %s for what it is',
  (address) => {
    expect(isLoopback(address)).toBe(false);
  },
);
