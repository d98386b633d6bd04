import { enableCompileCache } from 'node:module';
import path from 'node:path';

// Strip-and-compile once: later starts take a third of the time. An unwritable directory only means no cache.
enableCompileCache(path.join(import.meta.dirname, '../node_modules/.cache/drover'));
const { main } = await import('../src/cli/main.ts');
await main(process.argv.slice(2));
