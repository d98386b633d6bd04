import { isUtf8 } from 'node:buffer';
import type { z } from 'zod';
import type { Authority, Resource } from '../../access/index.ts';
import type { HistoryItem } from '../../change/index.ts';
import { toServiceDocument, type Definition } from '../../definition/index.ts';
import { valueOfEntry } from '../../kv/index.ts';
import { treeLeft, treeValues, type HistoryKind } from '../../store/index.ts';
import { keyPrefixText, keyText } from '../key-text.ts';
import type { historyItemSchema, historyValueSchema } from './schemas.ts';

type Item = z.output<typeof historyItemSchema>;
type Value = z.output<typeof historyValueSchema>;

/** Something that changed. */
interface Changed {
  readonly kind: HistoryKind;
  readonly subject: string;
}

/** Whether who asks may see a change; `level` is of keys, `list` where their names are listed under `enable_key_list_policy`. */
export function maySee(authority: Authority, changed: Changed, level: 'read' | 'list' = 'read'): boolean {
  if (changed.kind === 'kvtree') return authority.allowsUnder('key', keyPrefixText(changed.subject), level);
  return authority.allows(...resourceOf(changed), changed.kind === 'kv' ? level : 'read');
}

/** False for what who asks may not even know of. @throws ACCESS_DENIED for what they may see and not change */
export function mayUndo(authority: Authority, changed: Changed): boolean {
  if (!maySee(authority, changed)) return false;
  authority.demand(...resourceOf(changed), 'write');
  return true;
}

function resourceOf({ kind, subject }: Changed): [resource: Resource, name: string] {
  if (kind === 'kv' || kind === 'kvtree') return ['key', keyText(subject)];
  if (kind === 'acl') return ['acl', ''];
  if (kind === 'ds') return ['operator', ''];
  return ['service', sayPath(subject).replace(/^[^/]*\//, '')];
}

/** The store's name of what people call so: keys are bytes; definitions and datastores may leave their scope out. */
export function subjectOf(kind: HistoryKind, text: string): string {
  if (kind === 'kv' || kind === 'kvtree') return Buffer.from(text).toString('latin1');
  if (kind === 'acl') return text;
  const scope = kind === 'def' ? 'default/' : 'default/-/';
  return (text.includes('/') ? text : scope + text).split('/').map(encodeURIComponent).join('/');
}

/** A change as `/v2` shows it. */
export function sayChange(item: HistoryItem): Item {
  const { revision, kind, author, at, before, after, isLatest } = item;
  const isTree = kind === 'kvtree' && before?.startsWith('{"entries"') === true;
  return {
    revision,
    kind,
    subject: saySubject(item),
    author,
    at,
    change: after === null ? 'removed' : before === null ? 'created' : 'changed',
    before: isTree ? sayTree(item) : sayValue(kind, before),
    after: sayValue(kind, after),
    latest: isLatest,
  };
}

/** A subject as people write it. */
export function saySubject({ kind, subject }: Changed): string {
  return kind === 'kv' || kind === 'kvtree' ? keyText(subject) : sayPath(subject);
}

/** The keys that a recursive delete took. */
function sayTree(item: HistoryItem): Value {
  const keys = [...treeValues(item).keys()].map(keyText);
  const left = treeLeft(item);
  return { keys: keys.length + left, text: [...keys, ...(left > 0 ? [`… and ${left} more`] : [])].join('\n') };
}

function sayValue(kind: HistoryKind, stored: string | null): Value | null {
  if (stored === null) return null;
  if (kind === 'ds') return { sha256: stored.replace(/^sha256:/, '') };
  if (kind === 'acl') {
    // By its hash a secret that was not drawn at random can be guessed.
    const { hash: _hash, ...shown } = JSON.parse(stored) as Record<string, unknown>;
    return { text: JSON.stringify(shown, null, 2) };
  }
  if (kind === 'def') {
    return { text: JSON.stringify(toServiceDocument(JSON.parse(stored) as Definition), null, 2) };
  }
  const { value, flags } = valueOfEntry(stored);
  const said = isUtf8(value) ? { text: value.toString() } : { base64: value.toString('base64') };
  return flags === '0' ? said : { ...said, flags };
}

function sayPath(subject: string): string {
  return subject.split('/').map(decodeURIComponent).join('/');
}
