import type { NodeConfig } from '../../agent/index.ts';
import type { Replayed } from '../../event/index.ts';
import type { Command } from '../command.ts';
import { noSuchReaction } from '../errors.ts';
import { sayDuration } from '../../lib/index.ts';

interface Tested {
  readonly node: string;
  readonly name: string;
  readonly moments: readonly Replayed[];
}

/** Replays a service that goes down and comes up, and says what would run, in order, with which input. */
export const watchTest: Command = {
  usage: 'watch:test <file> [name]',
  summary: 'Replay a service that goes down and comes up: what would run, when and with which input; nothing is run',
  detail:
    'The file is a configuration of an agent, or a directory of them. Its reactions and its watches of services are replayed, or those of\nthe one name: of a reaction, or of the service.',
  example: 'drover watch:test /etc/drover/agent.json5 monitoring',
  options: [],
  async run({ args, output }) {
    const [file, name] = args as [string, string | undefined];
    const { loadConfig } = await import('../../agent/index.ts');
    const { nodes } = await loadConfig({ dev: true, configFile: [file] });
    const tests = (await Promise.all(nodes.map(testsOf))).flat().filter((one) => isOf(one, name));
    if (tests.length === 0) throw noSuchReaction(file, name);
    output.data(tests, tests.flatMap(linesOf));
    return 0;
  },
};

async function testsOf({ name: node, reactions, watches }: NodeConfig): Promise<Tested[]> {
  const { replayReaction, replayWatch } = await import('../../event/index.ts');
  return [
    ...reactions.map((one) => ({ node, name: one.name, moments: replayReaction(one) })),
    ...watches.map((one) => ({ node, name: one.query.title, moments: replayWatch(one) })),
  ].filter(({ moments }) => moments.length > 0);
}

function isOf(test: Tested, name: string | undefined): boolean {
  return name === undefined || test.name === name || test.name === `service ${name}`;
}

function linesOf({ node, name, moments }: Tested): string[] {
  return [`${name} on ${node}`, ...moments.flatMap(linesOfMoment)];
}

function linesOfMoment({ atMs, what, happening, handler, input }: Replayed): string[] {
  const head = `  +${sayDuration(atMs).padEnd(11)} ${what}`;
  const means = happening === null ? '' : ` (${happening})`;
  if (handler === null) return [`${head}${means}: nothing runs`];
  return [`${head}${means}`, `               runs  ${handler}`, `               with  ${JSON.stringify(input)}`];
}
