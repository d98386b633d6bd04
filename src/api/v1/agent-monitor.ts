import type { LogLevel, LogLine } from '../api-log.ts';
import type { ApiContext } from '../context.ts';
import { badRequest } from '../errors.ts';
import type { StreamOut, V1Answer, V1Request } from './exchange.ts';
import { consulLevel, logLineText } from './log-line-text.ts';

const LEVELS: Readonly<Record<string, LogLevel>> = {
  trace: 'trace',
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  warning: 'warn',
  err: 'error',
  error: 'error',
};
/** A reader that is so far behind is cut off: it would fill the memory. */
const MOST_WAITING_BYTES = 4 * 1024 * 1024;

/** `GET /v1/agent/monitor`: the log line by line, as it is written, until the client goes. */
export function monitor(context: ApiContext, request: V1Request): V1Answer {
  const { query } = request;
  const asked = query.get('loglevel') ?? '';
  const level = LEVELS[(asked === '' ? 'info' : asked).toLowerCase()];
  if (level === undefined) throw badRequest(`Unknown log level: ${asked}`);
  const isJson = query.has('logjson');
  return {
    headers: { 'Content-Type': isJson ? 'application/json' : 'text/plain; charset=utf-8' },
    stream: (out) => {
      const isAllowed = (): boolean => request.stillMay('agent', context.firstNode, 'read');
      follow(context, out, level, { textOf: isJson ? jsonOf : logLineText, isAllowed });
    },
  };
}

interface Reader {
  readonly textOf: (line: LogLine) => string;
  /** Asked for each line: a token can end while its bearer reads. */
  readonly isAllowed: () => boolean;
}

function follow(context: ApiContext, out: StreamOut, level: LogLevel, { textOf, isAllowed }: Reader): void {
  const write = (line: LogLine): void => {
    if (out.writableLength > MOST_WAITING_BYTES) out.destroy();
    else if (!isAllowed()) end();
    else out.write(`${textOf(line)}\n`);
  };
  const end = (): void => {
    stop();
    out.end();
  };
  const stop = context.log.tap(level, write);
  out.once('close', stop);
  // A first line at once: whoever waits for one knows that the stream stands.
  context.log.info({ level: consulLevel(level) }, 'the log is followed');
}

function jsonOf({ at, level, text, fields }: LogLine): string {
  return JSON.stringify({ '@level': level, '@message': text, '@module': 'agent', '@timestamp': at, ...plain(fields) });
}

function plain(fields: object): object {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, value instanceof Error ? value.message : (value as unknown)]),
  );
}
