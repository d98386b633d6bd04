import { reportChange, WAIT_OPTIONS } from '../change-report.ts';
import type { Command } from '../command.ts';
import { partlySet } from '../errors.ts';
import { count } from '../say-time.ts';

/** Sets every datastore of a file. */
export const datastoreImport: Command = {
  usage: 'datastore:import <file>',
  summary: 'Set every datastore of a JSON, JSON5 or YAML file',
  detail: 'The whole file is checked before the first value is set. The values themselves never appear in messages.',
  example: 'drover datastore:import datastores.json',
  options: WAIT_OPTIONS,
  async run(invocation) {
    const { args, client } = invocation;
    const { loadDatastores } = await import('../../definition/index.ts');
    const datastores = await loadDatastores(args[0] as string);
    let revision = 0;
    for (const [done, { name, value, federation, region }] of datastores.entries()) {
      const scope = { federation, ...(region === null ? {} : { region }) };
      const set = client.setDatastore(name, value, scope).catch((cause: unknown) => {
        throw done === 0 ? cause : partlySet.with({ cause, hint: hintFor(cause) }, done, datastores.length, name);
      });
      ({ revision } = await set);
    }
    const names = datastores.map((one) => one.name);
    const line = `${count(names.length, 'datastore is', 'datastores are')} set at r${revision}: ${names.join(', ')}`;
    return reportChange(invocation, { revision, value: { names }, lines: [line] });
  },
};

function hintFor(cause: unknown): string {
  const why = cause instanceof Error ? `${cause.message}; ` : '';
  return `${why}import the file again once that is mended: setting a value twice is harmless`;
}
