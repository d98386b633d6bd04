import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readEventStream, type ServerSentEvent } from './event-stream.ts';

async function* piecesOf(pieces: readonly string[]): AsyncGenerator<string, void> {
  yield* pieces;
}

async function read(...pieces: string[]): Promise<ServerSentEvent[]> {
  const events: ServerSentEvent[] = [];
  for await (const event of readEventStream(piecesOf(pieces))) events.push(event);
  return events;
}

describe('readEventStream()', () => {
  test.each([
    ['one event', 'id: 7\nevent: change\ndata: {}\n\n', [{ id: '7', event: 'change', data: '{}' }]],
    ['lines that end in CRLF', 'event: a\r\ndata: 1\r\n\r\n', [{ id: '', event: 'a', data: '1' }]],
    [
      'lines that end in CR',
      'data: 1\r\rdata: 2\r\r',
      [
        { id: '', event: 'message', data: '1' },
        { id: '', event: 'message', data: '2' },
      ],
    ],
    ['several lines of data', 'data: a\ndata:\ndata: b\n\n', [{ id: '', event: 'message', data: 'a\n\nb' }]],
    ['one space after the colon, and no more', 'data:  x\ndata:y\n\n', [{ id: '', event: 'message', data: ' x\ny' }]],
    [
      'comments and other fields',
      ': ping\n\nretry: 1000\nfoo: bar\nfoo\ndata: 1\n\n',
      [{ id: '', event: 'message', data: '1' }],
    ],
    ['a field without a colon', 'data\n\n', [{ id: '', event: 'message', data: '' }]],
    [
      'the id until another comes',
      'id: 1\ndata: a\n\ndata: b\n\n',
      [
        { id: '1', event: 'message', data: 'a' },
        { id: '1', event: 'message', data: 'b' },
      ],
    ],
    ['a mark of byte order', '\uFEFFdata: 1\n\n', [{ id: '', event: 'message', data: '1' }]],
    ['nothing of an event without data', 'event: a\n\n', []],
    ['nothing of an event that is not complete', 'data: 1\n', []],
  ])('readEventStream() gives %s', async (_name, text, events) => {
    expect(await read(text)).toEqual(events);
  });

  test('readEventStream() gives the same wherever the text is cut', async () => {
    const text = 'id: 1\r\nevent: change\r\ndata: {"a":\r\ndata: 1}\r\n\r\n: ping\n\ndata: x\n\n';
    const whole = await read(text);
    expect(whole).toHaveLength(2);
    const cuts = fc.uniqueArray(fc.nat(text.length), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(cuts, async (at) => {
        const places = [0, ...at.toSorted((a, b) => a - b), text.length];
        const pieces = places.slice(1).map((end, index) => text.slice(places[index], end));
        expect(await read(...pieces)).toEqual(whole);
      }),
      { numRuns: 50 },
    );
  });

  test('readEventStream() refuses a line without an end', async () => {
    await expect(read(...Array.from({ length: 9 }, () => 'x'.repeat(1_048_576)))).rejects.toThrow(RangeError);
  });
});
