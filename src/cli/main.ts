import { processHost } from './process-host.ts';
import { runCli } from './run-cli.ts';

/** The command line: sets the process's exit status and lets it end by itself, so that output is not cut off. */
export async function main(argv: readonly string[]): Promise<void> {
  process.exitCode = await runCli(argv, processHost());
}
