import { expect, test } from 'vitest';
import { prefixRange } from './contract.ts';
import { MemoryStore } from './memory/memory-store.ts';
import { takeSnapshot } from './snapshot.ts';
import { verifySnapshot } from './verify-snapshot.ts';

const ABOUT = { version: '1', region: 'aws', at: '2026-01-01T00:00:00.000Z' };

test('verifySnapshot() takes what restores to what was saved, and nothing else', async () => {
  await using store = await MemoryStore.start();
  for (const key of ['kv/a', 'kv/\u{ff}'])
    await store.commit({ compares: [], writes: [{ type: 'put', key, value: `ü of ${key}` }] });
  const { archive } = await takeSnapshot(store, ABOUT);
  const { entries } = await store.read(prefixRange(''));
  await verifySnapshot(archive, entries);
  await expect(verifySnapshot(archive, entries.slice(1))).rejects.toMatchObject({
    code: 'STORE_BAD_SNAPSHOT',
    message: expect.stringMatching(/2 entries that differ from the 1/) as string,
  });
  const cut = archive.subarray(0, archive.length - 40);
  await expect(verifySnapshot(cut, entries)).rejects.toMatchObject({ code: 'STORE_BAD_SNAPSHOT' });
});
