import { writeSync } from 'node:fs';
import { systemClock } from '../../src/lib/index.ts';
import { SqliteStore } from '../../src/store/index.ts';
import type { Write } from '../../src/store/index.ts';

/** What the store's tests do in processes of their own, because these are killed, traced, or run as another user. */
const MODES: Record<string, (directory: string, run: string) => Promise<void>> = {
  /** 32 writers until killed; a line on stdout for each acknowledged transaction. */
  async write(directory, run) {
    const store = await SqliteStore.start({ directory });
    await Promise.all(Array.from({ length: 32 }, (_, writer) => writeForever(store, `${run}/${writer}`)));
  },

  /** Restores one state after another until killed: all entries of a state hold its number. */
  async restore(directory) {
    const store = await SqliteStore.start({ directory });
    for (let turn = 0; ; turn++) {
      const first = store.status().revision + 10;
      const entries = Array.from({ length: 5_000 + (turn % 7) }, (_, at) => {
        const createRevision = first + at;
        return { key: `k${at}`, value: String(turn), createRevision, modRevision: createRevision };
      });
      const revision = await store.restore(entries, first + 10_000);
      writeSync(1, `restored ${turn} ${revision}\n`);
    }
  },

  /** Holds the directory until killed. */
  async hold(directory) {
    await SqliteStore.start({ directory });
    writeSync(1, 'ready\n');
    await systemClock.sleep(600_000);
  },

  /** A few hundred commits of values that can be found in a trace of system calls; then a clean end. */
  async mark(directory) {
    await using store = await SqliteStore.start({ directory });
    let mark = 0;
    const write = async (): Promise<void> => {
      while (mark < 300) {
        const mine = mark++;
        await store.commit({ compares: [], writes: [{ type: 'put', key: `k${mine % 40}`, value: `mark-${mine}-` }] });
        writeSync(1, `ack ${mine}\n`);
      }
    };
    await Promise.all(Array.from({ length: 8 }, write));
  },

  /** Starts as `nobody` when run by root. */
  async refuse(directory) {
    if (process.getuid?.() === 0) process.setuid?.(65_534);
    const refused = await SqliteStore.start({ directory }).then(
      () => 'started',
      (error: unknown) => JSON.stringify(error),
    );
    writeSync(1, `${refused}\n`);
  },
};

/** Puts new keys and deletes every third of them again, so that the newest entry is often gone. */
async function writeForever(store: SqliteStore, name: string): Promise<void> {
  for (let turn = 0; ; turn++) {
    const key = `${name}/${turn}`;
    await acknowledge(store, { type: 'put', key, value: `${key}:${'-'.repeat(600)}` });
    if (turn % 3 === 0) await acknowledge(store, { type: 'delete', key });
  }
}

async function acknowledge(store: SqliteStore, write: Exclude<Write, { type: 'delete-range' }>): Promise<void> {
  const { revision } = await store.commit({ compares: [], writes: [write] });
  writeSync(1, `${write.type} ${write.key} ${revision}\n`);
}

const [mode = '', directory = '', run = ''] = process.argv.slice(2);
await MODES[mode]?.(directory, run);
