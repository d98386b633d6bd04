import { closeSync, readSync, writeSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openPipe } from './open-pipe.ts';

test.runIf(process.platform === 'linux')('openPipe() gives two ends of one pipe', () => {
  const pipe = openPipe();
  if (pipe === null) return expect.unreachable('no pipe(2) on Linux');
  try {
    writeSync(pipe.write, 'hello');
    const bytes = Buffer.alloc(16);
    expect(bytes.toString('utf8', 0, readSync(pipe.read, bytes))).toBe('hello');
  } finally {
    closeSync(pipe.read);
    closeSync(pipe.write);
  }
});
