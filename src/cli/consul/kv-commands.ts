import { readFile } from 'node:fs/promises';
import { ApiError } from '../../../client/src/index.ts';
import { messageOf } from '../../lib/index.ts';
import { usageError } from '../errors.ts';
import { readValue } from '../read-value.ts';
import { plainText } from '../plain-text.ts';
import { isSet, type ConsulCommand, type ConsulInvocation } from './consul-command.ts';

interface KvEntry {
  readonly Key: string;
  readonly Value: string | null;
  readonly Flags: unknown;
  readonly Session?: string;
  readonly LockIndex: number;
  readonly CreateIndex: number;
  readonly ModifyIndex: number;
}

/** Prints the value of a key, or keys, or a whole prefix. */
export const kvGet: ConsulCommand = {
  usage: 'kv get [-base64] [-detailed] [-keys [-separator=/]] [-recurse] KEY',
  flags: { base64: 'flag', detailed: 'flag', keys: 'flag', recurse: 'flag', separator: 'text' },
  async run(invocation) {
    const key = keyOf(invocation, isSet(invocation, 'keys') || isSet(invocation, 'recurse'));
    if (isSet(invocation, 'keys')) return printKeys(invocation, key);
    const isTree = isSet(invocation, 'recurse');
    const entries = await entriesAt(invocation, key, isTree ? { recurse: '' } : {});
    if (entries.length === 0 && !isTree) return fail(invocation, `Error! No key exists at: ${key}`);
    const shown = entries.map((entry) => textOf(invocation, entry, isTree));
    invocation.host.stdout(Buffer.concat(shown));
    return 0;
  },
};

async function printKeys(invocation: ConsulInvocation, prefix: string): Promise<number> {
  const { client, flags, host, query } = invocation;
  const separator = (flags.get('separator') as string | undefined) ?? '/';
  const found = await orNothing(client.request(pathOf(prefix), { query: { ...query, keys: '', separator } }));
  const keys = (found as string[] | null) ?? [];
  host.stdout(keys.map((key) => `${key}\n`).join(''));
  return 0;
}

async function entriesAt(
  { client, query }: ConsulInvocation,
  key: string,
  more: Record<string, string>,
): Promise<KvEntry[]> {
  // As text: a number of JavaScript would cut the 64 bits of the flags.
  const body = await orNothing(client.request(pathOf(key), { as: 'text', query: { ...query, ...more } }));
  return body === null ? [] : (JSON.parse(body as string, keepDigits) as KvEntry[]);
}

function keepDigits(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  return typeof value === 'number' && !Number.isSafeInteger(value) ? (context?.source ?? value) : value;
}

function textOf(invocation: ConsulInvocation, entry: KvEntry, isTree: boolean): Buffer {
  const raw = Buffer.from(entry.Value ?? '', 'base64');
  const value = isSet(invocation, 'base64') ? Buffer.from(raw.toString('base64')) : raw;
  const newline = Buffer.from('\n');
  if (!isSet(invocation, 'detailed'))
    return Buffer.concat([Buffer.from(isTree ? `${entry.Key}:` : ''), value, newline]);
  const rows: [string, unknown][] = [
    ['CreateIndex', entry.CreateIndex],
    ['Flags', entry.Flags],
    ['Key', entry.Key],
    ['LockIndex', entry.LockIndex],
    ['ModifyIndex', entry.ModifyIndex],
    ['Session', entry.Session ?? '-'],
  ];
  const lines = rows.map(([name, each]) => `${name.padEnd(16)} ${String(each)}\n`).join('');
  return Buffer.concat([Buffer.from(`${lines}${'Value'.padEnd(16)} `), value, newline, ...(isTree ? [newline] : [])]);
}

/** Sets a key, also under a lock, or only if nobody changed it. */
export const kvPut: ConsulCommand = {
  usage: 'kv put [-acquire] [-base64] [-cas -modify-index=N] [-flags=N] [-release] [-session=ID] KEY [VALUE|-|@FILE]',
  flags: {
    acquire: 'flag',
    base64: 'flag',
    cas: 'flag',
    flags: 'text',
    'modify-index': 'text',
    release: 'flag',
    session: 'text',
  },
  async run(invocation) {
    const { args, client, flags, host, query } = invocation;
    const key = keyOf(invocation, false, 2);
    const text = await valueOf(invocation, args[1]);
    const session = flags.get('session') as string | undefined;
    const isLock = isSet(invocation, 'acquire');
    const isUnlock = isSet(invocation, 'release');
    if ((isLock || isUnlock) && session === undefined) throw usageError('Error! Missing -session');
    const call = {
      ...query,
      ...(flags.has('flags') ? { flags: flags.get('flags') as string } : {}),
      ...(isSet(invocation, 'cas') ? { cas: indexOf(invocation) } : {}),
      ...(isLock ? { acquire: session } : {}),
      ...(isUnlock ? { release: session } : {}),
    };
    const { body } = await client.request(pathOf(key), { method: 'PUT', text, query: call });
    if (body === true) return say(host, `Success! ${doneTo(isLock, isUnlock)}: ${key}`);
    if (isLock) return fail(invocation, 'Error! Did not acquire lock');
    if (isUnlock) return fail(invocation, 'Error! Did not release lock');
    return fail(invocation, `Error! Did not write to ${key}: CAS failed`);
  },
};

function doneTo(isLock: boolean, isUnlock: boolean): string {
  if (isLock) return 'Lock acquired on';
  return isUnlock ? 'Lock released on' : 'Data written to';
}

/** Removes a key, or all that begin so. */
export const kvDelete: ConsulCommand = {
  usage: 'kv delete [-cas -modify-index=N] [-recurse] KEY',
  flags: { cas: 'flag', 'modify-index': 'text', recurse: 'flag' },
  async run(invocation) {
    const { client, host, query } = invocation;
    const isTree = isSet(invocation, 'recurse');
    const key = keyOf(invocation, isTree);
    const call = {
      ...query,
      ...(isTree ? { recurse: '' } : {}),
      ...(isSet(invocation, 'cas') ? { cas: indexOf(invocation) } : {}),
    };
    const { body } = await client.request(pathOf(key), { method: 'DELETE', query: call });
    if (body !== true) return fail(invocation, `Error! Did not delete key ${key}: CAS failed`);
    return say(host, isTree ? `Success! Deleted keys with prefix: ${key}` : `Success! Deleted key: ${key}`);
  },
};

function keyOf({ args }: ConsulInvocation, mayBeEmpty: boolean, most = 1): string {
  if (args.length > most) throw usageError(`Too many arguments (expected ${most}, got ${args.length})`);
  const [key = ''] = args;
  if (key === '' && !mayBeEmpty) throw usageError('Error! Missing KEY argument');
  return key.replace(/^\//, '');
}

function pathOf(key: string): string {
  return `/v1/kv/${encodeURIComponent(key)}`;
}

function indexOf({ flags }: ConsulInvocation): string {
  const index = flags.get('modify-index') as string | undefined;
  if (index === undefined) throw usageError('Must specify -modify-index with -cas');
  return index;
}

async function valueOf(invocation: ConsulInvocation, given: string | undefined): Promise<Buffer> {
  const bytes = await readGiven(invocation, given ?? '');
  return isSet(invocation, 'base64') ? Buffer.from(bytes.toString(), 'base64') : bytes;
}

async function readGiven({ host }: ConsulInvocation, given: string): Promise<Buffer> {
  if (!given.startsWith('@')) return readValue(given, host);
  try {
    return await readFile(given.slice(1));
  } catch (error) {
    throw usageError(`Failed to read file: ${messageOf(error)}`);
  }
}

/** The answer's body; null for 404. */
async function orNothing(answer: Promise<{ readonly body: unknown }>): Promise<unknown> {
  try {
    return (await answer).body;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

function say(host: ConsulInvocation['host'], text: string): number {
  host.stdout(`${plainText(text)}\n`);
  return 0;
}

function fail({ host }: ConsulInvocation, text: string): number {
  host.stderr(`${plainText(text)}\n`);
  return 1;
}
