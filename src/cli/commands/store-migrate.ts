import type { Migration } from '../../agent/index.ts';
import type { Command, Invocation } from '../command.ts';
import { usageError } from '../errors.ts';
import { count } from '../say-time.ts';

/** Moves a region's state from one store to another. */
export const storeMigrate: Command = {
  usage: 'store:migrate',
  summary: 'Move the whole state of a region to another store; no agent is asked',
  detail:
    'Stop the agents that run on either store first: it is refused while there are any. Every entry keeps its revisions, so that the ' +
    'indexes that clients have go on being right. The state is read back and compared at the end. The source is only read; until ' +
    'all is there the target is as it was.',
  example:
    'drover store:migrate --from sqlite:/var/lib/drover/store --to etcd://10.0.0.1,10.0.0.2,10.0.0.3 --config-dir /etc/drover.d --dry-run',
  options: [
    { flags: '--from <url>', text: 'sqlite:DIR or etcd://HOST:PORT,…' },
    { flags: '--to <url>', text: 'the same' },
    { flags: '--replace', text: 'what the target holds may go' },
    { flags: '--dry-run', text: 'look whether it can be done, and change nothing' },
    {
      flags: '--config-file <file...>',
      text: 'configuration files of the agent: their etcd says how etcd is spoken to',
    },
    { flags: '--config-dir <directory...>', text: 'directories of such files' },
  ],
  async run({ options, output }) {
    const [from, to] = [urlIn(options, 'from'), urlIn(options, 'to')];
    const { configFile, configDir } = options as { readonly configFile?: string[]; readonly configDir?: string[] };
    const { moveStore } = await import('../../agent/index.ts');
    const migration = await moveStore({
      from,
      to,
      mayReplace: options['replace'] === true,
      isDryRun: options['dryRun'] === true,
      ...(configFile === undefined ? {} : { configFile }),
      ...(configDir === undefined ? {} : { configDir }),
    });
    output.data(migration, linesOf(migration));
    return 0;
  },
};

function urlIn(options: Invocation['options'], name: 'from' | 'to'): string {
  const url = options[name];
  if (typeof url === 'string') return url;
  throw usageError.with({ hint: 'such as sqlite:/var/lib/drover/store' }, `--${name} is missing`);
}

function linesOf({ entries, families, left, revision, digest, from, to, dryRun }: Migration): string[] {
  const parts = Object.entries(families).map(([family, many]) => `${family} ${many}`);
  return [
    `${count(entries, 'entry', 'entries')} at r${revision} ${dryRun ? 'would be moved' : 'moved'} from ${from} to ${to}`,
    ...(parts.length === 0 ? [] : [`  ${parts.join(', ')}`]),
    ...(left === 0 ? [] : [`  ${count(left, 'entry', 'entries')} of servers that ran stay behind`]),
    `  SHA-256 ${digest}${dryRun ? '' : ': read back and equal'}`,
  ];
}
