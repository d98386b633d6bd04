import { superseded, type UndoStep } from '../../change/index.ts';
import type { Definition } from '../../definition/index.ts';
import { valueOfEntry, type KvOp } from '../../kv/index.ts';
import type { Authored, Revision } from '../../store/index.ts';
import type { ApiContext } from '../context.ts';

/** So many keys are put back at once: each takes a write, a record of history and a compare. */
const KEYS_AT_ONCE = 150;

/**
 * Does what an undo came to, each kind by its own door, so that what is put back is checked as what is new. Resolves with the
 * revision at which it is so.
 *
 * @throws CHANGE_SUPERSEDED, REGISTRY_CHANGED_SINCE, and what the doors throw
 */
export async function undo(context: ApiContext, steps: readonly UndoStep[], authored: Authored): Promise<Revision> {
  let { revision } = context.feed;
  const keys = steps.filter(({ kind }) => kind === 'kv');
  for (let start = 0; start < keys.length; start += KEYS_AT_ONCE)
    revision = await undoKeys(context, keys.slice(start, start + KEYS_AT_ONCE), authored);
  for (const group of inGroups(steps.filter(({ kind, value }) => kind === 'def' && value !== null)))
    revision = await putDefinitions(context, group, authored);
  for (const step of steps.filter(({ kind, value }) => kind !== 'kv' && value === null))
    revision = await remove(context, step, authored);
  return revision;
}

async function undoKeys(
  { transactions }: ApiContext,
  steps: readonly UndoStep[],
  authored: Authored,
): Promise<Revision> {
  const outcome = await transactions.run(steps.map(opOf), authored);
  if (outcome.ok) return outcome.revision;
  // Between the look and the write: each problem names its key.
  const [first] = outcome.problems;
  throw superseded.with({ hint: first?.what ?? '' }, 'what it changed', steps[0]?.expected ?? 0, 0);
}

function opOf({ subject, value, expected }: UndoStep): KvOp {
  const base = { type: 'kv', key: subject, index: expected ?? 0, session: '' } as const;
  if (value === null) {
    return { ...base, verb: expected === undefined ? 'delete' : 'delete-cas', value: Buffer.alloc(0), flags: '0' };
  }
  const { value: bytes, flags } = valueOfEntry(value);
  return { ...base, verb: expected === undefined ? 'set' : 'cas', value: bytes, flags };
}

/** Definitions that stand at one revision are put back together: they may need each other. */
function inGroups(steps: readonly UndoStep[]): UndoStep[][] {
  return [...Map.groupBy(steps, ({ expected }) => expected).values()];
}

function putDefinitions({ registry }: ApiContext, steps: readonly UndoStep[], { author }: Authored): Promise<Revision> {
  const definitions = steps.map(({ value }) => JSON.parse(value as string) as Definition);
  return registry.putDefinitions(definitions, optionsOf(author, steps[0]?.expected));
}

function remove(
  { registry }: ApiContext,
  { kind, subject, expected }: UndoStep,
  { author }: Authored,
): Promise<Revision> {
  const [federation = '', ...rest] = subject.split('/').map(decodeURIComponent);
  const options = optionsOf(author, expected);
  const [first = '', second = ''] = rest;
  if (kind === 'def') return registry.removeDefinition(federation, first, options);
  return registry.removeDatastore(federation, first, second, options);
}

function optionsOf(author: string | undefined, expected: Revision | undefined) {
  return { ...(author === undefined ? {} : { author }), ...(expected === undefined ? {} : { expected }) };
}
