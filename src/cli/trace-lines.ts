import type { WireTrace, WireTraceConsumer } from '../../client/src/index.ts';
import { sayDuration } from '../lib/index.ts';
import { table } from './output.ts';
import { sayTime } from './say-time.ts';

/** `balancer@staging late`, with the reason and the next try as far as known. */
export function sayConsumer(consumer: WireTraceConsumer): string {
  const why = whyOf(consumer);
  return `${consumer.kind}@${consumer.node} ${consumer.state}${why === '' ? '' : ` (${why})`}`;
}

/** How far a change has arrived, for people: the finding first, then each consumer. */
export function traceLines(found: WireTrace, nowMs: number): string[] {
  const { revision, at, summary, author, consumers } = found;
  const what = [
    `r${revision}`,
    ...(at === '' ? [] : [sayTime(at, nowMs)]),
    ...(summary.length === 0 ? [] : [summary.join(', ')]),
    ...(author === undefined ? [] : [`by ${author}`]),
  ];
  const rows = consumers.map((consumer) => [
    `${consumer.kind}@${consumer.node}`,
    consumer.state,
    consumer.tookMs === undefined ? '' : sayDuration(consumer.tookMs),
    whyOf(consumer),
  ]);
  const lines = table(['consumer', 'state', 'took', 'why'], rows);
  return [what.join('  '), headline(found), ...(lines.length === 0 ? [] : ['', ...lines])];
}

function headline({ consumers, arrived, of, converged }: WireTrace): string {
  if (of === 0) return 'it concerns nobody';
  if (arrived === of) return `it has arrived everywhere: ${arrived} of ${of}`;
  const open = consumers.filter((one) => one.state !== 'arrived');
  const named = open.map(
    (one) => `${one.kind}@${one.node} ${one.state}${one.down === true ? ', its node is down' : ''}`,
  );
  return `it has arrived at ${arrived} of ${of}${converged ? ', nobody else is waited for' : ''}: ${named.join('; ')}`;
}

function whyOf({ reason, retryAt, down }: WireTraceConsumer): string {
  const next = retryAt === undefined ? [] : [`next try ${retryAt}`];
  return [...(down === true ? ['its node is down'] : []), ...(reason === undefined ? [] : [reason]), ...next].join(
    '; ',
  );
}
