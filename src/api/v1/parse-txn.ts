import { parseFlags, type TxnOp } from '../../kv/index.ts';
import { messageOf } from '../../lib/index.ts';
import type { ApiContext } from '../context.ts';
import { checkedName } from '../checked-name.ts';
import { badRequest } from '../errors.ts';
import { foldedObject, objectIn, textIn, textsIn, type Folded } from '../fields.ts';
import { parseInstance } from '../parse-instance.ts';
import { parseCatalogCheck } from './catalog-check.ts';
import { bytesOfText } from './percent.ts';
import { parsePrecise } from './precise-json.ts';

/** Most operations of a transaction. */
export const MAX_OPS = 128;

/** Consul's words for too many operations. */
export function tooManyText(count: number): string {
  return `Transaction contains too many operations (${count} > ${MAX_OPS})`;
}

/** Consul's words for a body over the limit. */
export function txnTooLargeText(limit: number): string {
  return `Request body too large, max size: ${limit} bytes`;
}

export type ParsedTxn = { readonly ops: readonly TxnOp[] } | { readonly tooLarge: string };

type ParseContext = Pick<ApiContext, 'clock' | 'http' | 'region'>;

/** The body of a transaction. @throws API_BAD_REQUEST with Consul's text; it shows nothing of values */
export function parseTxn(body: Buffer, context: ParseContext): ParsedTxn {
  const list = listOf(body);
  if (list.length > MAX_OPS) return { tooLarge: tooManyText(list.length) };
  try {
    const ops = list.map((one) => parseOp(foldedObject(one ?? {}, 'operation'), context));
    const large = ops.find((op) => op.type === 'kv' && op.value.length > context.http.valueBytes);
    return large?.type === 'kv' ? { tooLarge: valueTooLargeText(large, context) } : { ops };
  } catch (error) {
    const why = messageOf(error).replace(/^Request decode failed: /, '');
    throw badRequest.with({ cause: error }, `Failed to parse body: ${why}`);
  }
}

function valueTooLargeText({ key, value }: { key: string; value: Buffer }, { http }: ParseContext): string {
  const name = JSON.stringify(Buffer.from(key, 'latin1').toString('utf8'));
  return `Value for key ${name} is too large (${value.length} > ${http.valueBytes} bytes)`;
}

function listOf(body: Buffer): readonly unknown[] {
  let parsed: unknown;
  try {
    parsed = parsePrecise(body.toString('utf8'));
  } catch (error) {
    const why = body.length === 0 ? 'EOF' : 'it is not valid JSON';
    throw badRequest.with({ cause: error }, `Failed to parse body: ${why}`);
  }
  if (parsed === null) return [];
  if (!Array.isArray(parsed)) throw badRequest('Failed to parse body: expected a list of operations');
  return parsed as unknown[];
}

function parseOp(op: Folded, context: ParseContext): TxnOp {
  const kv = objectIn(op, 'kv');
  if (kv !== undefined) return kvOp(foldedObject(kv, 'KV'));
  const node = objectIn(op, 'node');
  if (node !== undefined) return nodeOp(foldedObject(node, 'Node'));
  const service = objectIn(op, 'service');
  if (service !== undefined) return serviceOp(foldedObject(service, 'Service'));
  const check = objectIn(op, 'check');
  if (check !== undefined) return checkOp(foldedObject(check, 'Check'), context);
  const session = objectIn(op, 'session');
  if (session !== undefined) return sessionOp(foldedObject(session, 'Session'));
  return { type: 'none' };
}

function kvOp(fields: Folded): TxnOp {
  return {
    type: 'kv',
    verb: textIn(fields, 'verb'),
    key: keyOf(textIn(fields, 'key')),
    value: valueOf(fields['value']),
    flags: parseFlags(wholeIn(fields, 'flags')),
    index: Number(wholeIn(fields, 'index')),
    session: textIn(fields, 'session'),
  };
}

const MAX_KEY_BYTES = 8_192;

function keyOf(text: string): string {
  const key = bytesOfText(text);
  if (key.length > MAX_KEY_BYTES) throw badRequest(`a key of ${key.length} bytes, at most ${MAX_KEY_BYTES}`);
  if (key.split('/').includes('..')) throw badRequest('a key has a ".." segment');
  return key;
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function valueOf(given: unknown): Buffer {
  if (given === undefined || given === null) return Buffer.alloc(0);
  if (typeof given === 'string' && BASE64.test(given)) return Buffer.from(given, 'base64');
  throw badRequest('illegal base64 data in a value');
}

/** A whole number of 64 bits without sign. */
function wholeIn(fields: Folded, key: string): bigint {
  const given = fields[key] ?? 0;
  if (typeof given === 'bigint' || (typeof given === 'number' && Number.isSafeInteger(given))) {
    if (given >= 0 && given < 2n ** 64n) return BigInt(given);
  }
  throw badRequest(`${key}: expected a whole number of 64 bits`);
}

function nodeOp(fields: Folded): TxnOp {
  const node = foldedObject(objectIn(fields, 'node') ?? {}, 'Node');
  const name = checkedName(textIn(node, 'node'), 'the name of a node');
  const id = textIn(node, 'id');
  return {
    type: 'node',
    verb: textIn(fields, 'verb'),
    index: indexOf(node),
    node: {
      name,
      address: checkedName(textIn(node, 'address'), 'the address of a node'),
      ...(id === '' ? {} : { id: uuid(id) }),
      ...(node['taggedaddresses'] === undefined ? {} : { taggedAddresses: textsIn(node, 'taggedaddresses') }),
      ...(node['meta'] === undefined ? {} : { meta: textsIn(node, 'meta') }),
    },
  };
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function uuid(id: string): string {
  if (!UUID.test(id)) throw badRequest('Bad node ID: it is no UUID');
  return id;
}

/** What deletes or reads needs an id alone. */
const NEEDS_RECORD: ReadonlySet<string> = new Set(['set', 'cas']);

function serviceOp(fields: Folded): TxnOp {
  const service = foldedObject(objectIn(fields, 'service') ?? {}, 'Service');
  const verb = textIn(fields, 'verb');
  const name = textIn(service, 'service');
  return {
    type: 'service',
    verb,
    node: checkedName(textIn(fields, 'node'), 'the name of a node'),
    id: textIn(service, 'id') || name,
    index: indexOf(service),
    ...(NEEDS_RECORD.has(verb) ? { instance: parseInstance({ ...service, name }) } : {}),
  };
}

function checkOp(fields: Folded, { clock }: ParseContext): TxnOp {
  const given = objectIn(fields, 'check') ?? {};
  const check = foldedObject(given, 'Check');
  const verb = textIn(fields, 'verb');
  const node = checkedName(textIn(check, 'node'), 'the name of a node');
  return {
    type: 'check',
    verb,
    node,
    id: textIn(check, 'checkid') || textIn(check, 'name'),
    index: indexOf(check),
    ...(NEEDS_RECORD.has(verb) ? { check: parseCatalogCheck(given, { node, nowMs: clock.wall() }) } : {}),
  };
}

function sessionOp(fields: Folded): TxnOp {
  const session = foldedObject(objectIn(fields, 'session') ?? {}, 'Session');
  return { type: 'session', verb: textIn(fields, 'verb'), id: textIn(session, 'id') };
}

/** In the catalog's operations the index stands with what is written. */
function indexOf(fields: Folded): number {
  return Number(wholeIn(fields, 'modifyindex'));
}
