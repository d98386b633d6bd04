import { startWorker } from '../lib/index.ts';
import { digestEntries } from './compare-entries.ts';
import type { Entry } from './contract.ts';
import { badSnapshot } from './errors.ts';
import type { Verdict } from './verify-snapshot-worker.ts';

/**
 * Restores an archive into a scratch store, in a thread of its own, and compares what that holds with what was to be saved.
 *
 * @throws STORE_BAD_SNAPSHOT
 */
export async function verifySnapshot(archive: Uint8Array, expected: readonly Entry[]): Promise<void> {
  const [verdict, digest] = await Promise.all([verdictOn(archive), digestEntries(expected)]);
  if ('failure' in verdict) throw badSnapshot(verdict.failure);
  if (verdict.digest === digest) return;
  throw badSnapshot(
    `it restores to ${verdict.entries} entries that differ from the ${expected.length} that were saved`,
  );
}

function verdictOn(archive: Uint8Array): Promise<Verdict> {
  const worker = startWorker('snapshot-check', {
    module: new URL('./verify-snapshot-worker.ts', import.meta.url),
    workerData: archive,
  });
  worker.unref();
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => resolve({ failure: `the thread that tried it ended with ${code}` }));
  });
}
