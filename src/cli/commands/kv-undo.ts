import { reportChange, WAIT_OPTIONS } from '../change-report.ts';
import type { Command, Invocation } from '../command.ts';
import { unknownHistory, usageError } from '../errors.ts';
import { revisionOf } from '../revision-of.ts';
import { count } from '../say-time.ts';

/** Puts back what was before a change of a key. */
export const kvUndo: Command = {
  usage: 'kv:undo [key]',
  summary: 'Undo the last change of a key, or with --revision all that a revision changed',
  detail:
    'With --revision alone every key of a recursive delete comes back. What somebody changed since is left as it is and told of (exit 6), unless ' +
    '--force. An undo is a change like any other, and can be undone.',
  example: 'drover kv:undo config/limit\ndrover kv:undo --revision 57',
  options: [
    { flags: '--revision <revision>', text: 'the change; default the last one of the key' },
    { flags: '--force', text: 'also over what was changed since' },
    ...WAIT_OPTIONS,
  ],
  async run(invocation) {
    const { args, client, options } = invocation;
    const [key] = args;
    const revision = await revisionMeant(invocation, key);
    const subject = key === undefined ? {} : { subject: key };
    const force = options['force'] === true;
    const { body, revision: at } = await client.undo({ revision, kind: 'kv', ...subject, force });
    const [first = ''] = body.undone;
    const many = body.undone.length;
    const what = many === 1 ? `${JSON.stringify(first)} is as it was` : `${count(many, 'key')} are as they were`;
    const lost = body.lost === 0 ? [] : [`history had not kept ${count(body.lost, 'more key')}`];
    return reportChange(invocation, {
      revision: at,
      value: { ...body, of: revision },
      lines: [`${what} before r${revision}, at r${at}`, ...lost],
    });
  },
};

async function revisionMeant({ client, options }: Invocation, key: string | undefined): Promise<number> {
  const given = options['revision'];
  if (typeof given === 'string') return revisionOf(given);
  if (key === undefined)
    throw usageError.with({ hint: 'drover kv:undo KEY, or --revision 57' }, 'name a key or a revision');
  const [last] = await client.history({ kind: 'kv', subject: key, limit: 1 });
  if (last === undefined) throw unknownHistory(key);
  return last.revision;
}
