import { enableCompileCache } from 'node:module';
import path from 'node:path';

// Strip-and-compile once: later starts take a third of the time. An unwritable directory only means no cache.
enableCompileCache(path.join(import.meta.dirname, '../node_modules/.cache/drover'));
if (process.argv.slice(2, 4).includes('agent')) {
  // Told to read its configuration again while it is still being loaded, it reads it afterwards anyway.
  process.on('SIGHUP', () => {});
}
const { main } = await import('../src/cli/main.ts');
await main(process.argv.slice(2));
