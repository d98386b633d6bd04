import type { DroverClient, WireTrace } from '../../client/src/index.ts';
import { sayDuration } from '../../src/lib/index.ts';

/** A change that has not arrived by then is shown as it stands, and again when it has. */
const LATE_MS = 4_000;
const WIDTH_SUMMARY = 34;
const WIDTH_CONSUMERS = 60;

/** Prints a line a change once it has arrived: what changed, at whom it arrived and how fast. */
export async function followChanges(
  client: DroverClient,
  after: number,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const waiting = new Map<number, NodeJS.Timeout>();
  const show = async (revision: number): Promise<void> => {
    clearTimeout(waiting.get(revision));
    waiting.delete(revision);
    const trace = await client.trace(revision).catch(() => null);
    if (trace !== null) print(changeLine(trace));
  };
  for await (const event of client.events({ after }, signal)) {
    if (event.type === 'change' && (event['of'] as number) > 0) {
      waiting.set(
        event.revision,
        setTimeout(() => void show(event.revision), LATE_MS),
      );
    }
    if (event.type === 'arrived') await show(event.revision);
  }
}

/** `12:01:07.412  r41  api@api-2 passing   balancer staging 3 ms · dns 1 ms   arrived 2/2`, and by whose token. */
export function changeLine({ revision, at, summary, author, consumers, arrived, of }: WireTrace): string {
  const when = new Date(at ?? Date.now());
  const time = when.toTimeString().slice(0, 8) + when.toISOString().slice(19, 23);
  const took = consumers.map(
    ({ kind, node, state, tookMs }) =>
      `${kind}${kind === 'dns' ? '' : ` ${node}`} ${state === 'arrived' && tookMs !== undefined ? sayDuration(tookMs) : state}`,
  );
  return [
    time,
    `r${revision}`.padEnd(5),
    summary.join(', ').padEnd(WIDTH_SUMMARY),
    took.join(' · ').padEnd(WIDTH_CONSUMERS),
    `arrived ${arrived}/${of}`,
    ...(author?.startsWith('token ') === true ? [`by ${author}`] : []),
  ].join('  ');
}
