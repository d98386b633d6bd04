import { enableCompileCache } from 'node:module';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';

const HEAP_BOUND_AFTER_MS = 5_000;

// Strip-and-compile once: later starts take a third of the time. An unwritable directory only means no cache.
enableCompileCache(path.join(import.meta.dirname, '../node_modules/.cache/drover'));
if (process.argv.slice(2, 4).includes('agent')) {
  // Told to read its configuration again while it is still being loaded, it reads it afterwards anyway.
  process.on('SIGHUP', () => {});
  // Left alone, V8 lets a heap grow to several times what is held before it collects: a server of ten thousand nodes would be twice as
  // large. Not at once, for that would make the start dearer.
  setTimeout(() => setFlagsFromString('--heap-growing-percent=50'), HEAP_BOUND_AFTER_MS).unref();
}
const { main } = await import('../src/cli/main.ts');
await main(process.argv.slice(2));
