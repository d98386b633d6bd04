import { expect, test } from 'vitest';
import { openFilesLimit, parseOpenFiles } from './open-files.ts';

test.each([
  [
    'Max processes             63190      63190     processes\nMax open files            1024      524288     files\n',
    1_024,
  ],
  ['Max open files            unlimited            unlimited            files', Number.POSITIVE_INFINITY],
  ['', Number.POSITIVE_INFINITY],
])('parseOpenFiles() reads %j', (text, limit) => {
  expect(parseOpenFiles(text)).toBe(limit);
});

test('openFilesLimit() is that of this process', () => {
  expect(openFilesLimit()).toBeGreaterThan(100);
});
