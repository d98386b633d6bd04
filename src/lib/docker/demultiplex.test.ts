import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Demultiplexer, type DockerOutput } from './demultiplex.ts';

const frame = (stream: number, text: string): Buffer => {
  const bytes = Buffer.from(text);
  const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
};
const textOf = (pieces: readonly DockerOutput[], stream: string): string =>
  Buffer.concat(pieces.filter((piece) => piece.stream === stream).map(({ bytes }) => bytes)).toString();

test('Demultiplexer.push() takes stdout and stderr apart, in order', () => {
  const frames = new Demultiplexer();
  const pieces = frames.push(Buffer.concat([frame(1, 'out'), frame(2, 'err'), frame(1, ''), frame(1, 'more')]));
  expect(pieces.map(({ stream, bytes }) => `${stream} ${String(bytes)}`)).toEqual([
    'stdout out',
    'stderr err',
    'stdout more',
  ]);
  expect(frames.isWhole).toBe(true);
});

test('Demultiplexer.push() finds the same however the bytes are cut', () => {
  const sources = fc.array(fc.tuple(fc.constantFrom(1, 2), fc.string({ maxLength: 30 })), { maxLength: 8 });
  fc.assert(
    fc.property(sources, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (parts, cuts) => {
      const all = Buffer.concat(parts.map(([stream, text]) => frame(stream, text)));
      const frames = new Demultiplexer();
      const pieces: DockerOutput[] = [];
      for (let at = 0, turn = 0; at < all.length; turn++) {
        const next = at + (cuts[turn % cuts.length] as number);
        pieces.push(...frames.push(all.subarray(at, next)));
        at = next;
      }
      const wanted = (stream: number): string =>
        Buffer.concat(parts.filter(([one]) => one === stream).map(([, text]) => Buffer.from(text))).toString();
      expect(textOf(pieces, 'stdout')).toBe(wanted(1));
      expect(textOf(pieces, 'stderr')).toBe(wanted(2));
      expect(frames.isWhole).toBe(true);
    }),
    { numRuns: 100 },
  );
});

test('Demultiplexer.push() passes a frame of 4 GB on in pieces', () => {
  const frames = new Demultiplexer();
  const header = Buffer.from([1, 0, 0, 0, 255, 255, 255, 255]);
  expect(frames.push(header)).toEqual([]);
  expect(frames.push(Buffer.from('abc'))).toEqual([{ stream: 'stdout', bytes: Buffer.from('abc') }]);
  expect(frames.isWhole).toBe(false);
});

test('Demultiplexer.push() refuses what is no such stream', () => {
  expect(() => new Demultiplexer().push(Buffer.from('HTTP/1.1 200 OK'))).toThrow('stream 72 is not known');
});
