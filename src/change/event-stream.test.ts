import { expect, test } from 'vitest';
import { EventStream } from './event-stream.ts';
import type { ChangeEvent } from './event-stream.ts';

const arrived = (revision: number): ChangeEvent => ({ type: 'arrived', revision, of: 1, tookMs: 1 });

async function take(events: AsyncIterable<ChangeEvent>, count: number): Promise<ChangeEvent[]> {
  const taken: ChangeEvent[] = [];
  for await (const event of events) if (taken.push(event) === count) break;
  return taken;
}

async function all(events: AsyncIterable<ChangeEvent>): Promise<ChangeEvent[]> {
  return take(events, Infinity);
}

test('EventStream.read() gives what was before, then what comes, also before the first read', async () => {
  const stream = new EventStream();
  const events = stream.read([arrived(1)], new AbortController().signal);
  stream.emit(arrived(2));
  expect(await take(events, 2)).toEqual([arrived(1), arrived(2)]);
});

test('EventStream.read() gives each reader everything', async () => {
  const stream = new EventStream();
  const { signal } = new AbortController();
  const readers = [stream.read([], signal), stream.read([], signal)];
  stream.emit(arrived(1));
  expect(await Promise.all(readers.map((one) => take(one, 1)))).toEqual([[arrived(1)], [arrived(1)]]);
});

test('EventStream.read() ends when aborted while it waits', async () => {
  const abort = new AbortController();
  const taken = all(new EventStream().read([], abort.signal));
  setImmediate(() => abort.abort());
  expect(await taken).toEqual([]);
});

test('EventStream.read() ends at once when it was aborted before', async () => {
  expect(await all(new EventStream().read([arrived(1)], AbortSignal.abort()))).toEqual([]);
});

test('EventStream.end() ends every reader', async () => {
  const stream = new EventStream();
  const taken = all(stream.read([], new AbortController().signal));
  stream.end();
  expect(await taken).toEqual([]);
});

test('EventStream.read() cuts off a reader that is too far behind', async () => {
  const stream = new EventStream();
  const events = stream.read([], new AbortController().signal);
  for (let one = 0; one < 10_002; one++) stream.emit(arrived(one));
  await expect(all(events)).rejects.toThrow('more than 10000 events wait');
});
