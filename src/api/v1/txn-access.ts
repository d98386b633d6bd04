import { denied, type Authority } from '../../access/index.ts';
import { isRead, type CheckOp, type TxnOp, type TxnProblem, type TxnResult } from '../../kv/index.ts';
import { DroverError } from '../../lib/index.ts';
import type { ApiContext } from '../context.ts';
import { keyPrefixText } from '../key-text.ts';
import { textOfBytes } from './percent.ts';

/** An operation and where it stands in the request. */
export type AskedOp = readonly [index: number, op: TxnOp];

/** Without reads of what the token may not see: that it is not there would be told, that it is there would not. */
export function shownOps(context: ApiContext, authority: Authority, ops: readonly TxnOp[]): readonly AskedOp[] {
  const all = [...ops.entries()];
  return authority.id === '' ? all : all.filter(([, op]) => !isHiddenRead(context, authority, op));
}

/** The operations alone. */
export function opsOf(asked: readonly AskedOp[]): TxnOp[] {
  return asked.map(([, op]) => op);
}

/** Problems by where their operations stand in the request. */
export function asAsked(problems: readonly TxnProblem[], asked: readonly AskedOp[]): TxnProblem[] {
  return problems.map((one) => ({ ...one, opIndex: asked[one.opIndex]?.[0] ?? one.opIndex }));
}

function isHiddenRead({ catalog }: ApiContext, authority: Authority, op: TxnOp): boolean {
  if (op.type === 'kv')
    return (op.verb === 'get' || op.verb === 'get-or-empty') && !authority.allows('key', textOfBytes(op.key), 'read');
  if (op.type === 'none' || op.type === 'session' || op.verb !== 'get') return false;
  if (!authority.allows('node', op.type === 'node' ? op.node.name : op.node, 'read')) return true;
  if (op.type !== 'service') return false;
  const known = catalog.node(op.node)?.instances.get(op.id)?.record.service;
  return !authority.allows('service', known ?? op.id, 'read');
}

/** Whether a token may read what an operation gives. */
export function seesResult(authority: Authority, result: TxnResult): boolean {
  const sees = (resource: 'key' | 'node' | 'service', name: string): boolean =>
    authority.allows(resource, name, 'read');
  switch (result.type) {
    case 'kv':
      return sees('key', textOfBytes(result.entry.key));
    case 'node':
      return sees('node', result.node.record.name);
    case 'service':
      return sees('service', result.service.record.service) && sees('node', result.node);
    case 'check':
      return sees('node', result.node) && (result.service === undefined || sees('service', result.service.service));
  }
}

/** Every operation that the token may not do, as Consul tells them. */
export function refusals(context: ApiContext, authority: Authority, ops: readonly TxnOp[]): TxnProblem[] {
  if (authority.id === '') return [];
  return [...ops.entries()].flatMap(([opIndex, op]): TxnProblem[] => {
    try {
      demandOp(context, authority, op);
      return [];
    } catch (error) {
      if (!(error instanceof DroverError)) throw error;
      return [{ opIndex, what: error.message }];
    }
  });
}

/** Results of reads are filtered; checks of a key would tell of it by their outcome. */
function demandOp(context: ApiContext, authority: Authority, op: TxnOp): void {
  switch (op.type) {
    case 'kv': {
      const key = textOfBytes(op.key);
      if (op.verb === 'delete-tree') {
        const prefix = keyPrefixText(op.key);
        if (!authority.allowsUnder('key', prefix, 'write')) throw denied(authority.accessor, 'key:write', prefix);
      } else if (op.verb === 'get-tree') {
        if (context.access.keyListPolicy === true) authority.demand('key', key, 'list');
      } else if (op.verb.startsWith('check-')) authority.demand('key', key, 'read');
      else if (!isRead(op)) authority.demand('key', key, 'write');
      return;
    }
    case 'node':
      if (op.verb !== 'get') authority.demand('node', op.node.name, 'write');
      return;
    case 'service':
      if (op.verb !== 'get') demandService(context, authority, op.node, op.id, op.instance?.service);
      return;
    case 'check': {
      if (op.verb === 'get') return;
      for (const serviceId of servicesOfCheck(context, op)) {
        if (serviceId === '') authority.demand('node', op.node, 'write');
        else demandService(context, authority, op.node, serviceId, undefined);
      }
      return;
    }
    case 'session': {
      const session = context.sessions.get(op.id);
      if (session !== undefined) authority.demand('session', session.node, 'write');
      return;
    }
    case 'none':
  }
}

/** Both what is there under the id and what is to be. */
function demandService(
  { catalog }: ApiContext,
  authority: Authority,
  node: string,
  id: string,
  wanted: string | undefined,
): void {
  const known = catalog.node(node)?.instances.get(id)?.record.service;
  const names = new Set([known, wanted].filter((name) => name !== undefined));
  for (const name of names.size === 0 ? [id] : names) authority.demand('service', name, 'write');
}

/** Whose check it is and whose it is to be, empty for the node's: one that is replaced may be another service's. */
function servicesOfCheck({ catalog }: ApiContext, { node, id, check }: CheckOp): ReadonlySet<string> {
  const found = catalog.node(node);
  const ids = new Set(check === undefined ? [] : [check.serviceId]);
  if (found?.checks.has(id) === true) ids.add('');
  for (const one of found?.instances.values() ?? []) if (one.checks.has(id)) ids.add(one.record.id);
  return ids.size === 0 ? new Set(['']) : ids;
}
