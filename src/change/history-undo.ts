import { treeLeft, treeValues } from '../store/index.ts';
import type { HistoryKind, Revision } from '../store/index.ts';
import { notUndoable, superseded, unknownChange } from './errors.ts';
import type { HistoryItem, HistoryLog } from './history-log.ts';

/** Which change is to be undone. */
export interface UndoRequest {
  readonly revision: Revision;
  readonly kind: HistoryKind;
  /** All that the revision changed of the kind unless told. */
  readonly subject?: string | undefined;
  /** Also over what somebody did since. */
  readonly force: boolean;
  /**
   * Asked of everything that the change touched, before anything is said of it: false for what is to look as if it had not
   * been, and it may throw what forbids the undo.
   */
  readonly vet?: (changed: Pick<HistoryItem, 'kind' | 'subject'>) => boolean;
}

/** Something to be put back. */
export interface UndoStep {
  readonly kind: 'kv' | 'def' | 'ds';
  readonly subject: string;
  /** The stored value that it had; null: it is to be removed. */
  readonly value: string | null;
  /** At which revision it has to stand, 0: it must not be there; undefined: whatever there is. */
  readonly expected: Revision | undefined;
}

/** What undoing comes to. */
export interface UndoPlan {
  readonly steps: readonly UndoStep[];
  /** How many keys of a recursive delete history did not keep. */
  readonly lost: number;
}

/**
 * What to write so that a change is undone, over exactly the state that it left.
 *
 * @throws CHANGE_UNKNOWN_CHANGE, CHANGE_NOT_UNDOABLE, CHANGE_SUPERSEDED when somebody changed it since
 */
export async function planUndo(log: HistoryLog, request: UndoRequest): Promise<UndoPlan> {
  const { revision, kind, subject, force, vet = () => true } = request;
  const items = await log.at(revision, kind, subject);
  if (items.length === 0 || !items.flatMap(touchedBy).every(vet)) throw unknownChange(kind, revision);
  const steps: UndoStep[] = [];
  for (const item of items)
    for (const step of stepsOf(item)) steps.push(force ? step : await overWhatIsLeft(log, step, item));
  return { steps, lost: items.reduce((all, item) => all + (item.kind === 'kvtree' ? treeLeft(item) : 0), 0) };
}

/** Of a recursive delete the keys that it took. */
function touchedBy(item: HistoryItem): Pick<HistoryItem, 'kind' | 'subject'>[] {
  if (item.kind !== 'kvtree') return [item];
  return [...treeValues(item).keys()].map((subject) => ({ kind: 'kv', subject }));
}

function stepsOf(item: HistoryItem): UndoStep[] {
  const { kind, subject, before } = item;
  if (kind === 'kvtree') {
    return [...treeValues(item)].map(([key, value]) => ({ kind: 'kv', subject: key, value, expected: undefined }));
  }
  if (kind === 'acl') throw notUndoable('tokens, policies and roles are set anew, not undone');
  if (kind === 'ds' && before !== null)
    throw notUndoable('the values of datastores are secrets, of which history keeps the hash alone');
  return [{ kind, subject, value: before, expected: undefined }];
}

/** A change that left something left it at its own revision; one that removed something left nothing behind it. */
async function overWhatIsLeft(log: HistoryLog, step: UndoStep, item: HistoryItem): Promise<UndoStep> {
  const { revision } = item;
  const current = await log.current(step.kind, step.subject);
  const at = current?.modRevision ?? 0;
  const isLeft = at === revision || (at === 0 && (await log.isLatest(step.kind, step.subject, item)));
  if (!isLeft) throw superseded(`${step.kind} ${Buffer.from(step.subject, 'latin1').toString()}`, revision, at);
  return { ...step, expected: at };
}
