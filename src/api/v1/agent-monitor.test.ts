import { describe, expect, test } from 'vitest';
import type { ApiLog, LogLevel, LogLine } from '../api-log.ts';
import type { ApiContext } from '../context.ts';
import { monitor } from './agent-monitor.ts';
import type { StreamOut, V1Request } from './exchange.ts';
import { logLineText } from './log-line-text.ts';
import { Query } from './query.ts';

const line = (level: LogLevel, text: string, fields: object = {}): LogLine => ({
  at: '2026-01-02T15:04:05.000Z',
  level,
  text,
  fields,
});

describe('logLineText()', () => {
  test.each<[LogLine, string]>([
    [line('info', 'ready'), '2026-01-02T15:04:05.000Z [INFO]  agent: ready'],
    [line('error', 'x', { err: new Error('a b') }), '2026-01-02T15:04:05.000Z [ERROR] agent: x: err="a b"'],
    [
      line('warn', 'x', { a: 1, b: 'c.d:1', e: 'f g' }),
      '2026-01-02T15:04:05.000Z [WARN]  agent: x: a=1 b=c.d:1 e="f g"',
    ],
    [line('debug', 'a\nb', { c: undefined }), '2026-01-02T15:04:05.000Z [DEBUG] agent: a b: c=undefined'],
  ])('writes %j as one line', (given, text) => {
    expect(logLineText(given)).toBe(text);
  });
});

/** What a reader gets, and a log that has whoever follows it. */
function follow(query: string) {
  const said: string[] = [];
  const closers: (() => void)[] = [];
  const taps = new Map<(line: LogLine) => void, LogLevel>();
  let waiting = 0;
  let isCut = false;
  let isEnded = false;
  let mayRead = true;
  const tell = (level: LogLevel, fields: object, text: string): void => {
    for (const [listen] of taps) listen(line(level, text, fields));
  };
  const log = {
    info: (fields: object, text: string) => tell('info', fields, text),
    tap(level: LogLevel, listen: (line: LogLine) => void) {
      taps.set(listen, level);
      return () => void taps.delete(listen);
    },
  } as unknown as ApiLog;
  const out = {
    get writableLength() {
      return waiting;
    },
    write: (text: string) => said.push(text),
    once: (_event: string, close: () => void) => closers.push(close),
    destroy: () => void (isCut = true),
    end: () => void (isEnded = true),
  } as unknown as StreamOut;
  const answer = monitor(
    { log } as ApiContext,
    {
      query: Query.parse(query),
      stillMay: () => mayRead,
    } as unknown as V1Request,
  );
  answer.stream?.(out);
  return {
    answer,
    said,
    taps,
    tell,
    fill: (bytes: number) => void (waiting = bytes),
    isCut: () => isCut,
    isEnded: () => isEnded,
    revoke: () => void (mayRead = false),
    close: () => closers.forEach((one) => one()),
  };
}

describe('agent/monitor', () => {
  test('begins with a line at once, follows the log, and stops when the client goes', () => {
    const reader = follow('');
    expect(reader.said).toEqual([expect.stringMatching(/\[INFO\] {2}agent: the log is followed: level=INFO\n$/)]);
    reader.tell('warn', {}, 'careful');
    expect(reader.said.at(-1)).toContain('[WARN]  agent: careful\n');
    reader.close();
    expect(reader.taps.size).toBe(0);
  });

  test.each([
    ['', 'info'],
    ['loglevel=', 'info'],
    ['loglevel=DEBUG', 'debug'],
    ['loglevel=err', 'error'],
    ['loglevel=warning', 'warn'],
    ['loglevel=trace', 'trace'],
  ])('?%s follows from %s on', (query, level) => {
    expect([...follow(query).taps.values()]).toEqual([level]);
  });

  test('?logjson gives one object a line', () => {
    const reader = follow('loglevel=info&logjson');
    reader.tell('error', { err: new Error('x'), n: 1 }, 'bad');
    expect(JSON.parse(reader.said.at(-1) as string)).toMatchObject({
      '@level': 'error',
      '@message': 'bad',
      err: 'x',
      n: 1,
    });
  });

  test('cuts off a reader that does not read', () => {
    const reader = follow('');
    reader.fill(5 * 1024 * 1024);
    reader.tell('info', {}, 'more');
    expect(reader.isCut()).toBe(true);
  });

  test('says nothing more to a reader whose token has ended', () => {
    const reader = follow('');
    reader.revoke();
    reader.tell('info', {}, 'more');
    expect([reader.said.length, reader.isEnded(), reader.taps.size]).toEqual([1, true, 0]);
  });

  test('refuses a level that is none', () => {
    expect(() => follow('loglevel=loud')).toThrow('Unknown log level: loud');
  });
});
