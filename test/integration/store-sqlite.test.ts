import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll } from 'vitest';
import { SqliteStore } from '../../src/store/index.ts';
import { storeConformance } from '../../src/store/testing.ts';

let root: string;
let count = 0;

beforeAll(() => {
  root = mkdtempSync(path.join(os.tmpdir(), 'drover-store-'));
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

storeConformance({
  name: 'SqliteStore',
  runs: 15,
  start: (options = {}) => SqliteStore.start({ directory: path.join(root, String(count++)), ...options }),
  elapse: (_store, ms) => sleep(ms),
});
