import { systemClock } from '../lib/index.ts';
import type { Host } from './host.ts';

const DNS_TIMEOUT_MS = 2_000;
const DNS_TRIES = 2;

/** The process itself. A reader of stdout that goes away early (`| head`) ends it without a word. */
export function processHost(): Host {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  return {
    environment: process.env,
    clock: systemClock,
    fetch: undefined,
    terminal: { input: process.stdin.isTTY, output: process.stdout.isTTY },
    stdout: (content) => void process.stdout.write(content),
    stderr: (text) => void process.stderr.write(text),
    readInput: readStdin,
    onSignal(name, handler) {
      process.on(name, handler);
      return () => process.off(name, handler);
    },
    async resolveName(server, name, type) {
      const { Resolver } = await import('node:dns/promises');
      const resolver = new Resolver({ timeout: DNS_TIMEOUT_MS, tries: DNS_TRIES });
      resolver.setServers([server]);
      return resolver.resolve(name, type);
    },
  };
}

async function readStdin(mostBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > mostBytes) throw new RangeError(`standard input is longer than ${mostBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
