import { constants, type Stats } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, type Place } from '../../lib/index.ts';
import { configUnreadable, configUntrusted } from './errors.ts';

const GROUP_WRITES = 0o020;
const OTHERS_WRITE = 0o002;
const STICKY = 0o1000;

/** A command in a configuration file. */
export interface CommandPlace {
  /** `the provision command`, `a script check`. */
  readonly what: string;
  readonly file: string;
  readonly place: Place;
}

/**
 * Whoever can write a file that names a command runs commands as the agent's user: it is taken only when nobody but root
 * and that user can write the file or put another in its place (design 13).
 *
 * @throws CONFIG_UNTRUSTED
 */
export async function assertTrusted({ what, file, place }: CommandPlace): Promise<void> {
  for (const target of [file, path.dirname(path.resolve(file))]) {
    const found = await stat(target).catch((error: unknown) => {
      throw configUnreadable.with({ cause: error }, target, messageOf(error));
    });
    const problem = problemOf(found, process.getuid?.() ?? 0, await privateGroups());
    if (problem === null) continue;
    const hint = problem.mend === 'chown' ? `chown root ${target}` : `chmod go-w ${target}`;
    throw configUntrusted.with({ place, hint }, what, file, `${target} ${problem.text}`);
  }
}

/** What is wrong with who may write a file; null for nothing. `privateGroups`: gids of groups without members. Pure. */
export function problemOf(
  { uid, gid, mode }: Pick<Stats, 'uid' | 'gid' | 'mode'>,
  ownUid: number,
  privateGroups: ReadonlySet<number>,
): { readonly mend: 'chmod' | 'chown'; readonly text: string } | null {
  if (uid !== 0 && uid !== ownUid) return { mend: 'chown', text: `belongs to another user (uid ${uid})` };
  // In a sticky directory such as /tmp nobody can replace another's file.
  const isDirectory = (mode & constants.S_IFMT) === constants.S_IFDIR;
  if (isDirectory && (mode & STICKY) !== 0) return null;
  if ((mode & OTHERS_WRITE) !== 0) return { mend: 'chmod', text: 'can be written by everyone' };
  // A user's private group has the user's number and nobody else in it: umask 002 is safe there.
  const isPrivate = gid === uid && privateGroups.has(gid);
  if ((mode & GROUP_WRITES) !== 0 && !isPrivate) return { mend: 'chmod', text: `can be written by group ${gid}` };
  return null;
}

/** Groups that list no members. */
async function privateGroups(): Promise<Set<number>> {
  const text = await readFile('/etc/group', 'utf8').catch(() => '');
  const rows = text.split('\n').map((line) => line.split(':'));
  return new Set(rows.filter((row) => row.length === 4 && row[3] === '').map((row) => Number(row[2])));
}
