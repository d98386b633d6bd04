import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../lib/index.ts';
import { digestEntries } from './compare-entries.ts';
import { prefixRange } from './contract.ts';
import { MemoryStore } from './memory/memory-store.ts';
import { readSnapshot } from './snapshot.ts';

/** What the thread says: what the snapshot restores to, or why it does not. */
export type Verdict = { readonly entries: number; readonly digest: string } | { readonly failure: string };

// Restores the archive in `workerData` into a store of its own and tells what is in that then.
const verdict: Verdict = await restored(workerData as Uint8Array).catch((error: unknown) => ({
  failure: messageOf(error),
}));
parentPort?.postMessage(verdict);

async function restored(archive: Uint8Array): Promise<Verdict> {
  const snapshot = await readSnapshot(Buffer.from(archive));
  await using store = await MemoryStore.start();
  await store.restore(snapshot.entries, Math.max(snapshot.meta.index, 2));
  const { entries } = await store.read(prefixRange(''));
  return { entries: entries.length, digest: await digestEntries(entries) };
}
