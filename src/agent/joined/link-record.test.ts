import { expect, test } from 'vitest';
import { FakeClock } from '../../lib/index.ts';
import { LinkRecord } from './link-record.ts';
import type { Candidate } from './servers.ts';

function start() {
  const clock = new FakeClock();
  const listeners = new Set<() => void>();
  const servers = {
    current: null as Candidate | null,
    candidates: [
      { url: 'http://10.0.0.1:8500', name: 's1' },
      { url: 'http://10.0.0.2:8500', name: 's2' },
    ],
    onChange(listen: () => void): () => void {
      listeners.add(listen);
      return () => void listeners.delete(listen);
    },
  };
  const link = (current: Candidate | null): void => {
    servers.current = current;
    for (const listen of listeners) listen();
  };
  const at = (): string => new Date(clock.wall()).toISOString();
  return { clock, record: new LinkRecord(servers, clock), link, at };
}

test('LinkRecord says since when the agent is linked to which server, or cut off', async () => {
  const { clock, record, link, at } = start();
  const begun = at();
  await clock.advance(3_000);
  const cut = { server: null, url: null, since: begun, cutOffSince: begun, lastContactMs: 3_000, known: 2 };
  expect(record.standing()).toEqual(cut);
  link({ url: 'http://10.0.0.1:8500', name: null });
  const since = at();
  await clock.advance(1_000);
  link({ url: 'http://10.0.0.1:8500', name: 's1' });
  const linked = { server: 's1', url: 'http://10.0.0.1:8500', since, cutOffSince: null, lastContactMs: 0 };
  expect(record.standing()).toMatchObject(linked);
  link(null);
  expect(record.standing()).toMatchObject({ server: null, cutOffSince: at(), lastContactMs: 0 });
});

test('LinkRecord counts a move to another server as a new link, without a cut', async () => {
  const { clock, record, link, at } = start();
  link({ url: 'http://10.0.0.1:8500', name: 's1' });
  await clock.advance(1_000);
  link({ url: 'http://10.0.0.2:8500', name: 's2' });
  expect(record.standing()).toMatchObject({ server: 's2', since: at(), cutOffSince: null });
});
