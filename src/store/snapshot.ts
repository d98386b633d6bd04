import { BadArchive, openArchive, sealArchive } from '../lib/index.ts';
import type { Entry, Revision, Store } from './contract.ts';
import { prefixRange } from './contract.ts';
import { badSnapshot, snapshotTooLarge } from './errors.ts';

/** Of an archive, and of what it unpacks to. */
export const MAX_SNAPSHOT_BYTES = 512 * 1024 * 1024;
const FORMAT = 'drover-snapshot';
const LAYOUT = 1;
/**
 * A restored store goes on so far above every revision it can know of: what was given out after the snapshot, by a store that
 * is lost, has to lie below it too.
 */
const GAP = 1_000_000_000;
/** What belongs to the servers and agents that run, not to the state: who speaks for a node, who is there, who leads. */
const OF_THE_RUNNING = ['own/', 'srv/', 'lead/'] as const;
/** Whether an entry belongs to the state, and so to a snapshot of it. */
export function ofTheState({ key }: Pick<Entry, 'key'>): boolean {
  return !OF_THE_RUNNING.some((family) => key.startsWith(family));
}

const LINES_PER_TURN = 2_000;
/** `meta.json`, sums and headers. */
const ROOM_FOR_META = 65_536;

/** `meta.json` of a snapshot. */
export interface SnapshotMeta {
  readonly format: typeof FORMAT;
  readonly layout: number;
  /** The revision that it shows. */
  readonly index: Revision;
  /** Of the drover that made it. */
  readonly version: string;
  readonly region: string;
  /** ISO time. */
  readonly at: string;
  readonly entries: number;
}

export interface Snapshot {
  readonly meta: SnapshotMeta;
  readonly entries: readonly Entry[];
}

/**
 * The whole state at one revision, as an archive of `meta.json`, `state` (a line of JSON an entry) and `SHA256SUMS`.
 *
 * @throws STORE_SNAPSHOT_TOO_LARGE for one that could not be restored
 */
export async function takeSnapshot(
  store: Pick<Store, 'read'>,
  about: Pick<SnapshotMeta, 'version' | 'region' | 'at'>,
  maxBytes = MAX_SNAPSHOT_BYTES,
): Promise<{ readonly archive: Buffer; readonly meta: SnapshotMeta }> {
  const { entries, revision } = await store.read(prefixRange(''));
  const kept = entries.filter(ofTheState);
  const meta: SnapshotMeta = { format: FORMAT, layout: LAYOUT, index: revision, ...about, entries: kept.length };
  const state = await stateOf(kept);
  if (state.length > maxBytes - ROOM_FOR_META) throw snapshotTooLarge(state.length, maxBytes);
  const files = new Map([
    ['meta.json', Buffer.from(`${JSON.stringify(meta, null, 2)}\n`)],
    ['state', state],
  ]);
  return { archive: await sealArchive(files), meta };
}

/** Reads an archive. @throws STORE_BAD_SNAPSHOT for one that is damaged, too large, or not drover's */
export async function readSnapshot(archive: Buffer): Promise<Snapshot> {
  const files = await openArchive(archive, MAX_SNAPSHOT_BYTES).catch((error: unknown) => {
    throw error instanceof BadArchive ? badSnapshot.with({ cause: error }, error.message) : error;
  });
  const [meta, state] = [files.get('meta.json'), files.get('state')];
  if (meta === undefined || state === undefined || files.size !== 2)
    throw badSnapshot(`it holds ${[...files.keys()].join(', ') || 'nothing'}, expected meta.json and state`);
  const read = metaOf(meta);
  const entries = await entriesOf(state);
  if (entries.length !== read.entries)
    throw badSnapshot(`it holds ${entries.length} entries, its meta.json says ${read.entries}`);
  return { meta: read, entries };
}

/**
 * Puts a snapshot in place of everything in the store, all or nothing. Its revisions keep their order and come to lie above
 * every one ever given out, and so do the indexes of what is gone: `floors` are the keys below which no index falls.
 *
 * @throws STORE_BAD_RESTORE and what writing throws; then nothing changed
 */
export function restoreSnapshot(
  store: Store,
  { meta, entries }: Snapshot,
  floors: readonly string[],
): Promise<Revision> {
  const above = Math.max(store.status().revision, meta.index) + GAP;
  const first = entries.reduce((least, { createRevision }) => Math.min(least, createRevision), meta.index);
  const moved = (revision: Revision): Revision => above + revision - first + 1;
  const revision = moved(meta.index);
  const value = JSON.stringify({ revision });
  const isFloor = new Set(floors);
  const state = entries
    .filter(({ key }) => !isFloor.has(key))
    .map((entry) => ({
      ...entry,
      createRevision: moved(entry.createRevision),
      modRevision: moved(entry.modRevision),
    }));
  const raised = [...isFloor].map((key) => ({ key, value, createRevision: revision, modRevision: revision }));
  return store.restore([...state, ...raised], revision);
}

/** In turns, so that others have the loop. */
async function stateOf(entries: readonly Entry[]): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let start = 0; start < entries.length; start += LINES_PER_TURN) {
    const some = entries.slice(start, start + LINES_PER_TURN);
    const lines = some.map((one) => JSON.stringify([one.key, one.createRevision, one.modRevision, one.value]));
    parts.push(Buffer.from(`${lines.join('\n')}\n`));
    await turn();
  }
  return Buffer.concat(parts);
}

async function entriesOf(state: Buffer): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (let start = 0; start < state.length;) {
    const end = state.indexOf(0x0a, start);
    if (end < 0) throw badSnapshot('its state is cut off');
    entries.push(entryOf(state.toString('utf8', start, end)));
    start = end + 1;
    if (entries.length % LINES_PER_TURN === 0) await turn();
  }
  return entries;
}

function entryOf(line: string): Entry {
  const [key, createRevision, modRevision, value] = parse(line) as [unknown, unknown, unknown, unknown];
  const isEntry = typeof key === 'string' && typeof value === 'string';
  if (!isEntry || typeof createRevision !== 'number' || typeof modRevision !== 'number')
    throw badSnapshot('a line of its state is no entry');
  return { key, value, createRevision, modRevision };
}

function metaOf(bytes: Buffer): SnapshotMeta {
  const meta = parse(bytes.toString()) as Partial<SnapshotMeta> | null;
  if (meta?.format !== FORMAT) throw badSnapshot('it is not a snapshot of drover');
  if (meta.layout !== LAYOUT) throw badSnapshot(`it has layout ${meta.layout}, this drover knows ${LAYOUT}`);
  if (!Number.isSafeInteger(meta.index) || !Number.isSafeInteger(meta.entries))
    throw badSnapshot('its meta.json is not complete');
  return meta as SnapshotMeta;
}

function parse(text: string): unknown {
  try {
    const value = JSON.parse(text) as unknown;
    if (value !== null && typeof value === 'object') return value;
  } catch (cause) {
    throw badSnapshot.with({ cause }, 'what it holds is not JSON');
  }
  throw badSnapshot('what it holds is not what it should be');
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
