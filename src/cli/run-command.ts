import { Command as Program, CommanderError, Option } from 'commander';
import { DroverClient } from '../../client/src/index.ts';
import type { Command, Invocation } from './command.ts';
import { EXIT, reportFailure } from './exit.ts';
import { processOutput } from './output.ts';

const DEFAULT_ADDRESS = 'http://127.0.0.1:8500';

/** Parses the arguments of one command, runs it and gives its exit status. */
export async function runCommand(name: string, command: Command, argv: readonly string[]): Promise<number> {
  const program = toProgram(name, command);
  let invocation: Invocation;
  try {
    invocation = parse(program, argv);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT.done : EXIT.invalid;
  }
  try {
    const running = command.run(invocation);
    return await (command.handlesSignals === true
      ? running
      : Promise.race([running, interruptedBy(invocation.signal)]));
  } catch (error) {
    return reportFailure(error, invocation.output);
  }
}

function toProgram(name: string, command: Command): Program {
  const program = new Program(name);
  const [, ...positional] = command.usage.split(' ');
  for (const argument of positional) program.argument(argument);
  for (const option of command.options) program.addOption(new Option(option.flags, option.text));
  program
    .usage(
      command.usage.slice(name.length + 1) === '' ? '[options]' : `${command.usage.slice(name.length + 1)} [options]`,
    )
    .description(command.summary)
    .option('--json', 'print data as JSON')
    .option(
      '--http-addr <address>',
      `the agent’s HTTP address (DROVER_HTTP_ADDR, CONSUL_HTTP_ADDR; ${DEFAULT_ADDRESS})`,
    )
    .addHelpText('after', `\nExample:\n  ${command.example.replaceAll('\n', '\n  ')}`)
    .showHelpAfterError(`(drover ${name} --help shows how it is used)`)
    .exitOverride();
  if (command.passThrough === true) program.passThroughOptions();
  return program;
}

function parse(program: Program, argv: readonly string[]): Invocation {
  const split = argv.indexOf('--');
  const own = split < 0 ? argv : argv.slice(0, split);
  program.parse(own.map(doubleDash), { from: 'user' });
  const options = program.opts<Record<string, unknown>>();
  const token = process.env['DROVER_TOKEN'] ?? process.env['CONSUL_HTTP_TOKEN'];
  return {
    args: program.args,
    options,
    rest: split < 0 ? [] : argv.slice(split + 1),
    client: new DroverClient({ address: addressOf(options['httpAddr']), ...(token === undefined ? {} : { token }) }),
    output: processOutput(options['json'] === true),
    signal: interrupted(),
  };
}

/** Consul takes `-config-dir` for `--config-dir`; so does drover. */
function doubleDash(argument: string): string {
  return /^-[a-z][a-z-]+(=|$)/.test(argument) ? `-${argument}` : argument;
}

function addressOf(given: unknown): string {
  const text =
    (given as string | undefined) ??
    process.env['DROVER_HTTP_ADDR'] ??
    process.env['CONSUL_HTTP_ADDR'] ??
    DEFAULT_ADDRESS;
  return /^https?:\/\//.test(text) ? text : `http://${text}`;
}

/** As a shell says it: 128 + SIGINT. */
function interruptedBy(signal: AbortSignal): Promise<number> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(130), { once: true });
  });
}

function interrupted(): AbortSignal {
  const abort = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => abort.abort());
  return abort.signal;
}
