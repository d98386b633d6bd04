import { readFile } from 'node:fs/promises';
import type { Owner } from '../lib/index.ts';
import { unknownOwner } from './errors.ts';

/**
 * The numbers of `user`, `user:group` or `uid:gid`; the user's own group when none is named. null for null.
 *
 * @throws AGENT_UNKNOWN_OWNER
 */
export async function ownerOf(text: string | null): Promise<Owner | null> {
  if (text === null) return null;
  const [user = '', group] = text.split(':');
  const account = await lookUp('/etc/passwd', user);
  const uid = account === undefined ? Number(user) : Number(account[2]);
  const ownGroup = account === undefined ? uid : Number(account[3]);
  const gid = group === undefined ? ownGroup : await groupId(group);
  if (user === '' || !Number.isInteger(uid) || !Number.isInteger(gid)) throw unknownOwner(text);
  return { uid, gid };
}

async function groupId(group: string): Promise<number> {
  const row = await lookUp('/etc/group', group);
  return group === '' ? Number.NaN : Number(row === undefined ? group : row[2]);
}

/** A row of a colon-separated account file by its first column. */
async function lookUp(file: string, name: string): Promise<string[] | undefined> {
  const rows = (await readFile(file, 'utf8')).split('\n').map((line) => line.split(':'));
  return rows.find((row) => row[0] === name);
}
