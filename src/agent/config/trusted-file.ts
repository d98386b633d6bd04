import { constants, type Stats } from 'node:fs';
import { lstat, readFile, realpath, stat } from 'node:fs/promises';
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
  const groups = await privateGroups();
  for (const target of await guardsOf(file)) {
    const problem = problemOf(target.facts, process.getuid?.() ?? 0, groups, target.isFar);
    if (problem === null) continue;
    const hint = problem.mend === 'chown' ? `chown root ${target.path}` : `chmod go-w ${target.path}`;
    throw configUntrusted.with({ place, hint }, what, file, `${target.path} ${problem.text}`);
  }
}

/** What decides about a file's content: itself, a link that leads to it, and every directory on the way. */
interface Guard {
  readonly path: string;
  readonly facts: Stats;
  /** A directory further up: only moving what is in it would help an attacker. */
  readonly isFar: boolean;
}

async function guardsOf(file: string): Promise<Guard[]> {
  const named = path.resolve(file);
  const real = await realpath(named).catch((error: unknown) => unreadable(named, error));
  const paths = [...new Set([real, named].flatMap((one) => [one, ...directoriesAbove(one)]))];
  const near = new Set([real, named, path.dirname(real), path.dirname(named)]);
  return Promise.all(
    paths.map(async (one) => {
      const facts = await (one === named && named !== real ? lstat(one) : stat(one)).catch((error: unknown) =>
        unreadable(one, error),
      );
      return { path: one, facts, isFar: !near.has(one) };
    }),
  );
}

function directoriesAbove(file: string): string[] {
  const above = path.dirname(file);
  return above === file ? [] : [above, ...directoriesAbove(above)];
}

function unreadable(target: string, error: unknown): never {
  throw configUnreadable.with({ cause: error }, target, messageOf(error));
}

/**
 * What is wrong with who may write a file; null for nothing. `privateGroups`: gids of groups without members. Groups that may
 * write further up, such as Debian's `staff` in /usr/local, are the administrator's own. Pure.
 */
export function problemOf(
  { uid, gid, mode }: Pick<Stats, 'uid' | 'gid' | 'mode'>,
  ownUid: number,
  privateGroups: ReadonlySet<number>,
  isFar = false,
): { readonly mend: 'chmod' | 'chown'; readonly text: string } | null {
  if (uid !== 0 && uid !== ownUid) return { mend: 'chown', text: `belongs to another user (uid ${uid})` };
  // In a sticky directory such as /tmp nobody can replace another's file.
  const type = mode & constants.S_IFMT;
  if (type === constants.S_IFDIR && (mode & STICKY) !== 0) return null;
  // A link has no mode of its own.
  if (type === constants.S_IFLNK) return null;
  if ((mode & OTHERS_WRITE) !== 0) return { mend: 'chmod', text: 'can be written by everyone' };
  // A user's private group has the user's number and nobody else in it: umask 002 is safe there.
  const isPrivate = gid === uid && privateGroups.has(gid);
  if ((mode & GROUP_WRITES) !== 0 && !isPrivate && !isFar)
    return { mend: 'chmod', text: `can be written by group ${gid}` };
  return null;
}

/** Groups that list no members. */
async function privateGroups(): Promise<Set<number>> {
  const text = await readFile('/etc/group', 'utf8').catch(() => '');
  const rows = text.split('\n').map((line) => line.split(':'));
  return new Set(rows.filter((row) => row.length === 4 && row[3] === '').map((row) => Number(row[2])));
}
