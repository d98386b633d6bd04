import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { openStore } from './open-store.ts';

test('openStore() opens a memory store', async () => {
  await using store = await openStore('memory:', { base: 7 });
  expect(store.status()).toMatchObject({ engine: 'memory', revision: 7 });
});

test('openStore() opens a sqlite store in its directory', async () => {
  const root = mkdtempSync(path.join(os.tmpdir(), 'drover-open-'));
  try {
    await using store = await openStore(`sqlite:${path.join(root, 'data')}`, { base: 7 });
    await store.commit({ compares: [], writes: [{ type: 'put', key: 'k', value: 'v' }] });
    expect(store.status()).toMatchObject({ engine: 'sqlite', revision: 8 });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});

test.each([
  ['etcd://', 'STORE_BAD_ETCD_URL', 'no member'],
  ['etcd://u:p@h1', 'STORE_BAD_ETCD_URL', 'user'],
  ['memory:x', 'STORE_BAD_URL', 'memory:x'],
  ['sqlite:', 'STORE_BAD_URL', 'sqlite:'],
  ['/var/lib/drover', 'STORE_BAD_URL', '/var/lib/drover'],
  ['', 'STORE_BAD_URL', '""'],
  ['consul://h1', 'STORE_BAD_URL', 'consul'],
])('openStore() refuses %j', async (url, code, message) => {
  await expect(openStore(url)).rejects.toMatchObject({ code, message: expect.stringContaining(message) as string });
});
