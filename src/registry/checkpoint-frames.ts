import { open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

/** Length and sum of what follows, four bytes each. */
const HEAD_BYTES = 8;
/** A frame that says it is longer was not written here. */
const MOST_BYTES = 256 * 1024 * 1024;
const READ_BYTES = 1024 * 1024;

/** A piece of a file with its length and its sum before it, so that one that was cut off is told from a whole one. */
export function frameOf(payload: Buffer): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32LE(payload.length, 0);
  head.writeUInt32LE(crc32(payload), 4);
  return Buffer.concat([head, payload]);
}

/** The whole frames of a file, up to the first that is not: a write that was cut off ends what counts. A file that is absent has none. */
export async function* framesOf(file: string): AsyncGenerator<Buffer> {
  const handle = await open(file, 'r').catch(() => null);
  if (handle === null) return;
  try {
    let left: Buffer = Buffer.alloc(0);
    for (;;) {
      const { frames, rest } = take(left);
      yield* frames;
      if (rest === null) return;
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(READ_BYTES), 0, READ_BYTES);
      if (bytesRead === 0) return;
      left = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
    }
  } finally {
    await handle.close();
  }
}

/** What is whole of some bytes, and what is left of them; null where they are damaged. */
function take(bytes: Buffer): { readonly frames: Buffer[]; readonly rest: Buffer | null } {
  const frames: Buffer[] = [];
  let start = 0;
  while (bytes.length - start >= HEAD_BYTES) {
    const length = bytes.readUInt32LE(start);
    if (length > MOST_BYTES) return { frames, rest: null };
    const end = start + HEAD_BYTES + length;
    if (end > bytes.length) break;
    const payload = bytes.subarray(start + HEAD_BYTES, end);
    if (crc32(payload) !== bytes.readUInt32LE(start + 4)) return { frames, rest: null };
    frames.push(payload);
    start = end;
  }
  return { frames, rest: bytes.subarray(start) };
}
