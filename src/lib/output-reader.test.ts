import { PassThrough } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { FakeClock } from './clock.ts';
import { OutputReader } from './output-reader.ts';

function startReader(): { clock: FakeClock; stream: PassThrough; reader: OutputReader; finished: () => boolean } {
  const clock = new FakeClock();
  const stream = new PassThrough();
  const reader = new OutputReader([stream], { limit: 100, clock });
  let over = false;
  return { clock, stream, reader, finished: () => ((over ||= stream.destroyed), over) };
}

test('OutputReader.finish() resolves at the end of the output', async () => {
  const { stream, reader } = startReader();
  stream.end('all of it');
  await reader.finish();
  expect(reader.tail.text()).toBe('all of it');
});

test('OutputReader.finish() does not wait for an output that is held open', async () => {
  const { clock, stream, reader, finished } = startReader();
  stream.write('the end');
  const finishing = reader.finish();
  await clock.advance(49);
  expect(finished()).toBe(false);
  // Once something came in the first while, once nothing in the second.
  await clock.advance(51);
  await finishing;
  expect(reader.tail.text()).toBe('the end');
  expect(stream.destroyed).toBe(true);
});

test('OutputReader.finish() does not listen for ever to who else writes', async () => {
  const { clock, stream, reader, finished } = startReader();
  const finishing = reader.finish();
  for (let i = 0; i < 20 && !finished(); i++) {
    stream.write('tick');
    await clock.advance(30);
  }
  await finishing;
  expect(clock.now()).toBeLessThanOrEqual(600);
  expect(clock.pending).toBe(0);
});

test('OutputReader reads a flood at a bounded rate', async () => {
  const { clock, stream, reader } = startReader();
  const chunk = Buffer.alloc(64 * 1024);
  const pour = async (): Promise<void> => {
    for (let i = 0; i < 64; i++) {
      while (stream.write(chunk));
      await nextTurn();
    }
  };
  await pour();
  const before = reader.tail.totalBytes;
  expect(before).toBeLessThan(2 * 1024 * 1024);
  await clock.advance(32);
  await pour();
  expect(reader.tail.totalBytes).toBeGreaterThan(before);
  reader.close();
  expect(clock.pending).toBe(0);
});
