import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';

const BLOCK = 512;
const SUMS = 'SHA256SUMS';
/** No folders, no way out of the one it is unpacked in. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,98}$/;

/** Thrown for bytes that are not a whole, unchanged archive; the message says why. */
export class BadArchive extends Error {}

/**
 * Packs files into a gzipped tar that `tar` and `sha256sum -c SHA256SUMS` read, with the checksum of each.
 *
 * @example await sealArchive(new Map([['meta.json', Buffer.from('{}')]]))
 */
export function sealArchive(files: ReadonlyMap<string, Buffer>): Promise<Buffer> {
  const sums = [...files].map(([name, content]) => `${hash('sha256', content)}  ${name}\n`).join('');
  const blocks = [...files, [SUMS, Buffer.from(sums)] as const].flatMap(([name, content]) => [
    headerOf(name, content.length),
    content,
    Buffer.alloc(paddingOf(content.length)),
  ]);
  return promisify(gzip)(Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]));
}

/** The files of such an archive, of at most `maxBytes` together. @throws BadArchive */
export async function openArchive(bytes: Buffer, maxBytes: number): Promise<ReadonlyMap<string, Buffer>> {
  const files = filesOf(await unzipped(bytes, maxBytes));
  const sums = files.get(SUMS);
  if (sums === undefined) throw new BadArchive(`it has no ${SUMS}`);
  files.delete(SUMS);
  const expected = new Map(sums.toString().split('\n').filter(Boolean).map(sumOf));
  for (const [name, content] of files)
    if (expected.get(name) !== hash('sha256', content)) throw new BadArchive(`the checksum of ${name} is wrong`);
  const missing = [...expected.keys()].find((name) => !files.has(name));
  if (missing !== undefined) throw new BadArchive(`${missing} is missing`);
  return files;
}

async function unzipped(bytes: Buffer, maxBytes: number): Promise<Buffer> {
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: maxBytes });
  } catch (cause) {
    const isLarge = (cause as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE';
    throw new BadArchive(isLarge ? `it unpacks to more than ${maxBytes} bytes` : 'it is not gzip, or is cut off', {
      cause,
    });
  }
}

function filesOf(tar: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (let at = 0; at + BLOCK <= tar.length;) {
    const header = tar.subarray(at, at + BLOCK);
    if (header.every((byte) => byte === 0)) return files;
    const { name, size } = readHeader(header);
    const start = at + BLOCK;
    if (start + size > tar.length) throw new BadArchive(`${name} is cut off`);
    if (files.has(name)) throw new BadArchive(`${name} is in it twice`);
    files.set(name, tar.subarray(start, start + size));
    at = start + size + paddingOf(size);
  }
  throw new BadArchive('its end is missing');
}

function readHeader(header: Buffer): { name: string; size: number } {
  const text = (from: number, to: number): string => header.toString('latin1', from, to).replace(/[\0 ].*$/s, '');
  if (Number.parseInt(text(148, 156), 8) !== checksumOf(header)) throw new BadArchive('it is not a tar archive');
  const [name, type] = [text(0, 100), header.toString('latin1', 156, 157)];
  if (!NAME.test(name) || text(345, 500) !== '') throw new BadArchive(`it has a file named ${JSON.stringify(name)}`);
  if (type !== '0' && type !== '\0') throw new BadArchive(`${name} is not a plain file`);
  const size = text(124, 136);
  if (!/^[0-7]{1,12}$/.test(size)) throw new BadArchive(`the size of ${name} is no number`);
  return { name, size: Number.parseInt(size, 8) };
}

/** A ustar header: POSIX.1-1988. */
function headerOf(name: string, size: number): Buffer {
  if (!NAME.test(name)) throw new RangeError(`no name for a file of an archive: ${JSON.stringify(name)}`);
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;
  header.write(name, 0, 'latin1');
  header.write(octal(0o600, 8) + octal(0, 8) + octal(0, 8) + octal(size, 12) + octal(0, 12), 100, 'latin1');
  header.write('0', 156, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  header.write(`${checksumOf(header).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

/** The sum of all bytes, those of the sum itself counted as spaces. */
function checksumOf(header: Buffer): number {
  return header.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 0x20 : byte), 0);
}

function paddingOf(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

function sumOf(line: string): [name: string, sum: string] {
  return [line.slice(66), line.slice(0, 64)];
}
