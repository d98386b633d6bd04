import { version, versionLine } from './commands/version.ts';

/** The command line: sets the process's exit status and lets it end by itself, so that output is not cut off. */
export async function main(argv: readonly string[]): Promise<void> {
  const [word] = argv;
  // Asked for by every script that installs or monitors: it does not wait for what it does not need.
  if (argv.length === 1 && word === version.usage) {
    process.stdout.write(`${versionLine()}\n`);
    return;
  }
  const [{ processHost }, { runCli }] = await Promise.all([import('./process-host.ts'), import('./run-cli.ts')]);
  process.exitCode = await runCli(argv, processHost());
}
