import type { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { Engine } from './engine.ts';
import { failureOf } from './failure.ts';
import type { Failure } from './failure.ts';
import { OwnFiles } from './own-files.ts';
import { Meta, openStoreFile, Refused } from './store-file.ts';
import type { FromWriter, ToWriter, WriterSetup, WriterState } from './writer-messages.ts';

/** The thread that writes: holds the only writing connection, and answers each batch after its commit is durable. */
function serve(port: MessagePort, setup: WriterSetup): void {
  const say = (message: FromWriter): void => port.postMessage(message);
  let db: DatabaseSync;
  let engine: Engine;
  let files: OwnFiles;
  try {
    db = openStoreFile(setup.file);
    files = new OwnFiles(setup.file);
    configure(db, setup);
    engine = new Engine(db);
    say({ type: 'ready', ...stateOf(db, engine) });
  } catch (error) {
    const refusal = error instanceof Refused ? error.refusal : undefined;
    say({ type: 'refused', refusal: refusal ?? { kind: 'unusable', why: failureOf(error).why } });
    return;
  }
  let failure: Failure | undefined;
  port.on('message', (batch: ToWriter) => {
    if (batch === null) {
      db.close();
      port.close();
      return;
    }
    try {
      if (failure === undefined) {
        const outcomes = engine.run(batch);
        files.check();
        return say({ type: 'done', outcomes });
      }
    } catch (error) {
      failure = failureOf(error);
      abandon(db);
    }
    say({ type: 'failed', failure });
  });
}

function configure(db: DatabaseSync, setup: WriterSetup): void {
  const meta = new Meta(db, 'write');
  if (setup.base > meta.get('base')) meta.set('base', setup.base);
  if (setup.quotaBytes === undefined) return;
  const { page_size: pageSize } = db.prepare('pragma page_size').get() as { page_size: number };
  db.exec(`pragma max_page_count=${Math.max(1, Math.floor(setup.quotaBytes / pageSize))}`);
}

function stateOf(db: DatabaseSync, engine: Engine): WriterState {
  const leases = db.prepare('select id, ttl_ms from lease order by id');
  leases.setReturnArrays(true);
  return {
    base: new Meta(db, 'read').get('base'),
    revision: engine.revision,
    leases: leases.all() as unknown as [number, number][],
    version: String(db.prepare('select sqlite_version() as version').get()?.['version']),
  };
}

/** Nothing of a failed batch may become visible; SQLite may have rolled it back already. */
function abandon(db: DatabaseSync): void {
  if (db.isTransaction) db.exec('rollback');
}

if (parentPort !== null) serve(parentPort, workerData as WriterSetup);
