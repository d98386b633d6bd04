import type { Write } from '../store/index.ts';
import { aclTombstone, type AclChange, type AclDecision } from './acl-transaction.ts';
import { ANONYMOUS_TOKEN } from './builtin.ts';
import { aclKey } from './records.ts';
import type { Kept, TokenRecord } from './records.ts';

/** A token written under its hash, found by its accessor. */
export function putToken(record: TokenRecord, known: Kept<TokenRecord> | undefined): AclChange {
  const stored = known === undefined || known.record === ANONYMOUS_TOKEN ? undefined : withoutSecret(known);
  const change = putRecord(`tok/${record.accessor}`, aclKey.token(record.hash), record, stored);
  const pointer: Write = {
    type: 'put',
    key: aclKey.accessor(record.accessor),
    value: JSON.stringify({ tok: record.hash }),
  };
  return { ...change, writes: [...change.writes, pointer] };
}

/** That there was a first management token: the revision of this is the reset index. */
export function bootChange(nowMs: number): AclChange {
  const at = new Date(nowMs).toISOString();
  return { ...putRecord('boot', aclKey.boot, { at }, undefined), before: null };
}

/** History keeps the hash alone. */
function withoutSecret({ record: { secret: _secret, ...record }, ...kept }: Kept<TokenRecord>): Kept<unknown> {
  return { record, ...kept };
}

/** A record written under a key, and what stood there. */
export function putRecord(subject: string, key: string, record: object, known: Kept<unknown> | undefined): AclChange {
  return { subject, writes: [{ type: 'put', key, value: JSON.stringify(record) }], before: known ?? null };
}

/** A policy or role taken away; nothing where there is none. */
export function goneRecord(
  subject: string,
  key: string,
  kind: 'policies' | 'roles',
  known: Kept<unknown> | undefined,
): AclDecision<boolean> {
  if (known === undefined) return { changes: [], value: false };
  return { changes: [{ subject, writes: [{ type: 'delete', key }, aclTombstone(kind)], before: known }], value: true };
}

/** A token taken away, and the way to it by its accessor. */
export function goneToken(known: Kept<TokenRecord>): AclChange {
  const { accessor, hash } = known.record;
  const writes: Write[] = [
    { type: 'delete', key: aclKey.token(hash) },
    { type: 'delete', key: aclKey.accessor(accessor) },
    aclTombstone('tokens'),
  ];
  return { subject: `tok/${accessor}`, writes, before: withoutSecret(known) };
}
