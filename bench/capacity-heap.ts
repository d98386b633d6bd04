import { Catalog, StoreFeed } from '../src/registry/index.ts';
import { SqliteStore } from '../src/store/index.ts';

// What a server's catalog takes of the heap: capacity-heap.ts DIRECTORY, under --expose-gc. Says the bytes that are in use
// with the whole store loaded and followed, and how many instances are in it.
const directory = process.argv[2] ?? '';
await using store = await SqliteStore.start({ directory });
const catalog = new Catalog({ region: 'dc1' });
await using _feed = await StoreFeed.start({ store, projections: [catalog] });
const heapBytes = await heapUsed();
const instances = catalog.nodes().reduce((sum, { instances }) => sum + instances.size, 0);
process.send?.({ heapBytes, instances });
process.disconnect?.();

/** After what is no longer needed is gone, that of finished tasks as well. */
async function heapUsed(): Promise<number> {
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    globalThis.gc?.();
  }
  return process.memoryUsage().heapUsed;
}
