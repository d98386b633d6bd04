import type { Drafted, NodeDrafts } from '../registry/index.ts';
import { badTxnOp } from './txn-problem.ts';
import type { CheckOp, NodeOp, ServiceOp, TxnResult } from './txn-op.ts';

/** Does one `Node` operation in a draft. @throws TxnOpError with Consul's words, and what the draft throws */
export function evaluateNode(drafts: NodeDrafts, { verb, node, index }: NodeOp): readonly TxnResult[] {
  const { name } = node;
  if (name === '') throw badTxnOp('Must provide node');
  const known = drafts.node(name);
  const give = (): readonly TxnResult[] => {
    const now = drafts.node(name);
    return now === undefined ? [] : [{ type: 'node', node: now }];
  };
  switch (verb) {
    case 'get':
      if (known === undefined) throw badTxnOp(`node ${quoted(name)} doesn't exist`);
      return give();
    case 'cas':
      if (!stands(known, index)) throw badTxnOp(`failed to set node ${quoted(name)}, index is stale`);
      return set();
    case 'set':
      return set();
    case 'delete-cas':
      if (known === undefined || !stands(known, index))
        throw badTxnOp(`failed to delete node ${quoted(name)}, index is stale`);
      return gone();
    case 'delete':
      return gone();
    default:
      throw badTxnOp(`unknown Node verb ${quoted(verb)}`);
  }

  function set(): readonly TxnResult[] {
    const address = node.address === '' ? (known?.record.address ?? '') : node.address;
    if (address === '') throw badTxnOp('Must provide node and address');
    drafts.register({ node: { ...node, address } });
    return give();
  }

  function gone(): readonly TxnResult[] {
    drafts.removeNode(name);
    return [];
  }
}

/** Does one `Service` operation in a draft. @throws as `evaluateNode` */
export function evaluateService(drafts: NodeDrafts, op: ServiceOp): readonly TxnResult[] {
  const { verb, node, id, instance, index } = op;
  const label = `service ${quoted(id)} on node ${quoted(node)}`;
  const known = drafts.instance(node, id);
  switch (verb) {
    case 'get':
      if (known === undefined) throw badTxnOp(`${label} doesn't exist`);
      return [{ type: 'service', node, service: known }];
    case 'cas':
      if (!stands(known, index)) throw badTxnOp(`failed to set ${label}, index is stale`);
      return set();
    case 'set':
      return set();
    case 'delete-cas':
      if (known === undefined || !stands(known, index)) throw badTxnOp(`failed to delete ${label}, index is stale`);
      return gone();
    case 'delete':
      return gone();
    default:
      throw badTxnOp(`unknown Service verb ${quoted(verb)}`);
  }

  function set(): readonly TxnResult[] {
    if (instance !== undefined) drafts.register({ ...onKnownNode(drafts, node), instance });
    const service = drafts.instance(node, id);
    return service === undefined ? [] : [{ type: 'service', node, service }];
  }

  function gone(): readonly TxnResult[] {
    drafts.removeInstance(node, id);
    return [];
  }
}

/** Does one `Check` operation in a draft. @throws as `evaluateNode` */
export function evaluateCheck(drafts: NodeDrafts, op: CheckOp): readonly TxnResult[] {
  const { verb, node, id, check, index } = op;
  const label = `check ${quoted(id)} on node ${quoted(node)}`;
  const known = drafts.check(node, id);
  switch (verb) {
    case 'get':
      if (known === undefined) throw badTxnOp(`${label} doesn't exist`);
      return give(known);
    case 'cas':
      if (!stands(known, index)) throw badTxnOp(`failed to set ${label}, index is stale`);
      return set();
    case 'set':
      return set();
    case 'delete-cas':
      if (known === undefined || !stands(known, index)) throw badTxnOp(`failed to delete ${label}, index is stale`);
      return gone();
    case 'delete':
      return gone();
    default:
      throw badTxnOp(`unknown Check verb ${quoted(verb)}`);
  }

  function set(): readonly TxnResult[] {
    const registration = onKnownNode(drafts, node);
    const serviceId = check?.serviceId ?? '';
    if (serviceId !== '' && drafts.instance(node, serviceId) === undefined)
      throw badTxnOp('Missing service registration');
    if (check !== undefined) drafts.register({ ...registration, checks: [check] });
    return give(drafts.check(node, id));
  }

  function give(found: ReturnType<NodeDrafts['check']>): readonly TxnResult[] {
    if (found === undefined) return [];
    const { serviceId } = found.record;
    const service = serviceId === '' ? undefined : drafts.instance(node, serviceId)?.record;
    return [{ type: 'check', node, check: found, service }];
  }

  function gone(): readonly TxnResult[] {
    drafts.removeCheck(node, id);
    return [];
  }
}

/** A registration that leaves a node that is known as it is. */
function onKnownNode(
  drafts: NodeDrafts,
  name: string,
): { readonly node: { readonly name: string; readonly address: string }; readonly skipNodeUpdate: true } {
  const known = drafts.node(name);
  if (known === undefined) throw badTxnOp('Missing node registration');
  return { node: { name, address: known.record.address }, skipNodeUpdate: true };
}

/** Whether something is at this revision, 0 being "not there". */
function stands(known: Drafted<unknown> | undefined, index: number): boolean {
  return known === undefined ? index === 0 : index !== 0 && known.modRevision === index;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
