import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { failureOf, isBusy } from './failure.ts';

/** `workerData` of the checkpointing thread. */
export interface CheckpointSetup {
  readonly file: string;
  readonly everyMs: number;
}

/**
 * The thread that moves the write-ahead log into the file, so that no commit waits for the file's sync. It stops at the first
 * error and tells it: a sync that failed must not be repeated, for the kernel forgets what it could not write.
 */
function checkpoint(port: MessagePort, setup: CheckpointSetup): void {
  const db = new DatabaseSync(setup.file, { timeout: 0 });
  db.exec('pragma synchronous=FULL');
  const passive = db.prepare('pragma wal_checkpoint(passive)');
  const timer = setInterval(() => {
    try {
      passive.get();
    } catch (error) {
      if (isBusy(error)) return;
      clearInterval(timer);
      port.postMessage(failureOf(error));
    }
  }, setup.everyMs);
  port.once('message', () => {
    clearInterval(timer);
    db.close();
    port.close();
  });
}

if (parentPort !== null) checkpoint(parentPort, workerData as CheckpointSetup);
