import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BadArchive, openArchive, sealArchive } from './sealed-archive.ts';

const LIMIT = 1_000_000;
const FILES = new Map([
  ['meta.json', Buffer.from('{"a":1}')],
  ['state', Buffer.alloc(1_500, 'x')],
]);

test('openArchive() gives what sealArchive() packed, whatever the bytes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 2_000 }), async (bytes) => {
      const files = new Map([
        ['a', Buffer.from(bytes)],
        ['empty', Buffer.alloc(0)],
      ]);
      expect([...(await openArchive(await sealArchive(files), LIMIT))]).toEqual([...files]);
    }),
    { numRuns: 30 },
  );
});

test('sealArchive() refuses names that are paths', async () => {
  for (const name of ['', '../x', 'a/b', '.', 'x'.repeat(100)])
    expect(() => sealArchive(new Map([[name, Buffer.alloc(0)]]))).toThrow(RangeError);
});

/** The archive with its tar changed, and all sums of the tar's own made right again. */
async function changed(change: (tar: Buffer) => Buffer): Promise<Buffer> {
  return gzipSync(change(Buffer.from(gunzipSync(await sealArchive(FILES)))));
}

function renamed(tar: Buffer, to: string, type = '0'): Buffer {
  tar.fill(0, 0, 100);
  tar.write(to, 0, 'latin1');
  tar.write(type, 156, 'latin1');
  tar.fill(' ', 148, 156);
  const sum = tar.subarray(0, 512).reduce((all, byte) => all + byte, 0);
  tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return tar;
}

describe('openArchive() refuses', () => {
  test.each<[string, (tar: Buffer) => Buffer, RegExp]>([
    ['a flipped bit of a file', (tar) => ((tar[512] = 0x20), tar), /checksum of meta\.json/],
    ['a flipped bit of a header', (tar) => ((tar[3] = 0x20), tar), /not a tar/],
    ['a cut end', (tar) => tar.subarray(0, 1_600), /cut off/],
    ['a missing end', (tar) => tar.subarray(0, -1_024), /end is missing/],
    ['no files', () => Buffer.alloc(1_024), /no SHA256SUMS/],
    ['a path', (tar) => renamed(tar, '../etc/passwd'), /named "\.\.\/etc\/passwd"/],
    ['a link', (tar) => renamed(tar, 'meta.json', '2'), /not a plain file/],
    ['a file in place of another', (tar) => renamed(tar, 'other'), /checksum of other/],
    ['a file that comes twice', (tar) => renamed(tar, 'state'), /twice/],
  ])('%s', async (_name, change, why) => {
    await expect(openArchive(await changed(change), LIMIT)).rejects.toThrow(why);
    await expect(openArchive(await changed(change), LIMIT)).rejects.toBeInstanceOf(BadArchive);
  });

  test('what is not gzip, and what unpacks to too much', async () => {
    await expect(openArchive(Buffer.from('no archive'), LIMIT)).rejects.toThrow(/not gzip/);
    await expect(openArchive(gzipSync(Buffer.alloc(LIMIT + 1)), LIMIT)).rejects.toThrow(/more than 1000000/);
  });
});
