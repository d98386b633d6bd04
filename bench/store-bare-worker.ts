import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { Checkpoints } from '../src/store/sqlite/checkpoints.ts';

// The baseline of bench/store.ts: nothing but puts in groups, into the rows that the store has.
const { file } = workerData as { file: string };
const db = new DatabaseSync(file);
db.exec(`pragma journal_mode=WAL; pragma synchronous=FULL; pragma cache_size=-65536; pragma wal_autocheckpoint=16384;
  create table kv(id integer primary key, k text not null unique, created integer not null, mod integer not null,
    lease integer, sum integer not null, v text not null) strict;
  create index kv_lease on kv(lease) where lease is not null`);
const put = db.prepare(`insert into kv(k, v, created, mod, sum) values(?, ?, 0, ?, 0)
  on conflict(k) do update set v = excluded.v, mod = excluded.mod`);
const [begin, commit] = [db.prepare('begin immediate'), db.prepare('commit')];
const checkpoints = new Checkpoints(file, (failure) => {
  throw new Error(failure.why);
});
let revision = 0;

parentPort?.on('message', (batch: string[] | null) => {
  if (batch === null) {
    void checkpoints[Symbol.asyncDispose]().then(() => {
      db.close();
      parentPort?.close();
    });
    return;
  }
  begin.run();
  for (let at = 0; at < batch.length; at += 2) put.run(batch[at] ?? '', batch[at + 1] ?? '', ++revision);
  commit.run();
  parentPort?.postMessage(revision);
});
