import type { Batch, Entry, Revision, StoreEvent } from '../store/index.ts';
import { framesOf } from './checkpoint-frames.ts';

const FORMAT = 'drover-checkpoint';
const LAYOUT = 1;

/** The first frame of a base: what it is of, and from which revision on its log follows. */
export interface BaseHead {
  readonly format: typeof FORMAT;
  readonly layout: number;
  /** Which store it mirrors. */
  readonly store: string;
  /** What the store's contents are known by, where it says so. */
  readonly identity?: string | undefined;
  readonly revision: Revision;
  /** Wall-clock ms. */
  readonly at: number;
}

/** The last one: without it a base was not finished. */
export interface BaseFoot {
  readonly entries: number;
  readonly revision: Revision;
}

/** What a checkpoint holds. */
export interface CheckpointState {
  /** In key order. */
  readonly entries: Entry[];
  readonly identity?: string | undefined;
  readonly revision: Revision;
  /** Wall-clock ms when the store was last heard of. */
  readonly atMs: number;
}

type EntryRow = [key: string, value: string, createRevision: Revision, modRevision: Revision];
type EventRow = EntryRow | [key: string];
type LogFrame = [atMs: number, batches: [revision: Revision, events: EventRow[]][]];

export function headFrame(head: Pick<BaseHead, 'store' | 'identity' | 'revision' | 'at'>): Buffer {
  return json({ format: FORMAT, layout: LAYOUT, ...head } satisfies BaseHead);
}

export function footFrame(foot: BaseFoot): Buffer {
  return json(foot);
}

export function entriesFrame(entries: readonly Entry[]): Buffer {
  return json(entries.map(rowOf));
}

export function logFrame(atMs: number, batches: readonly Batch[]): Buffer {
  const rows = batches.map(({ revision, events }) => [revision, events.map(eventRow)]);
  return json([atMs, rows]);
}

/** What a base and its log hold of a store; null where the base is of another one, unfinished, or damaged. */
export async function readCheckpoint(base: string, log: string, store: string): Promise<CheckpointState | null> {
  const entries = new Map<string, Entry>();
  let head: BaseHead | null = null;
  let foot: BaseFoot | null = null;
  for await (const frame of framesOf(base)) {
    const value = JSON.parse(frame.toString()) as BaseHead | BaseFoot | EntryRow[];
    if (Array.isArray(value)) for (const row of value) entries.set(row[0], entryOf(row));
    else if ('format' in value) head = value;
    else foot = value;
  }
  if (head?.format !== FORMAT || head.layout !== LAYOUT || head.store !== store) return null;
  if (foot === null || foot.entries !== entries.size) return null;
  let { at: atMs } = head;
  let revision = Math.max(head.revision, foot.revision);
  for await (const frame of framesOf(log)) {
    const [at, batches] = JSON.parse(frame.toString()) as LogFrame;
    atMs = at;
    for (const [applied, events] of batches) {
      for (const event of events) apply(entries, event, applied);
      revision = Math.max(revision, applied);
    }
  }
  const sorted = [...entries.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
  return { entries: sorted, identity: head.identity, revision, atMs };
}

/** Pages of a base are read one after the other: a key can be newer there than what the log says of it. */
function apply(entries: Map<string, Entry>, row: EventRow, revision: Revision): void {
  const [key] = row;
  if ((entries.get(key)?.modRevision ?? 0) > revision) return;
  if (row.length === 1) entries.delete(key);
  else entries.set(key, entryOf(row));
}

function entryOf([key, value, createRevision, modRevision]: EntryRow): Entry {
  return { key, value, createRevision, modRevision };
}

function rowOf({ key, value, createRevision, modRevision }: Entry): EntryRow {
  return [key, value, createRevision, modRevision];
}

function eventRow(event: StoreEvent): EventRow {
  return event.type === 'put' ? rowOf(event.entry) : [event.key];
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
