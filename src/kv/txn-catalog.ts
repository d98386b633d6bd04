import type { Drafted, NodeDrafts } from '../registry/index.ts';
import type { Revision } from '../store/index.ts';
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
  const set = (): readonly TxnResult[] => {
    const address = node.address === '' ? (known?.record.address ?? '') : node.address;
    if (address === '') throw badTxnOp('Must provide node and address');
    drafts.register({ node: { ...node, address } });
    return give();
  };
  const subject = { kind: 'Node', label: `node ${quoted(name)}`, known, index };
  return evaluateVerb(verb, subject, { give, set, remove: () => drafts.removeNode(name) });
}

/** Does one `Service` operation in a draft. @throws as `evaluateNode` */
export function evaluateService(drafts: NodeDrafts, op: ServiceOp): readonly TxnResult[] {
  const { verb, node, id, instance, index } = op;
  const known = drafts.instance(node, id);
  const give = (): readonly TxnResult[] => {
    const service = drafts.instance(node, id);
    return service === undefined ? [] : [{ type: 'service', node, service }];
  };
  const set = (): readonly TxnResult[] => {
    if (instance !== undefined) drafts.register({ ...onKnownNode(drafts, node), instance });
    return give();
  };
  const subject = { kind: 'Service', label: `service ${quoted(id)} on node ${quoted(node)}`, known, index };
  return evaluateVerb(verb, subject, { give, set, remove: () => drafts.removeInstance(node, id) });
}

/** Does one `Check` operation in a draft. @throws as `evaluateNode` */
export function evaluateCheck(drafts: NodeDrafts, op: CheckOp): readonly TxnResult[] {
  const { verb, node, id, check, index } = op;
  const known = drafts.check(node, id);
  const give = (): readonly TxnResult[] => {
    const found = drafts.check(node, id);
    if (found === undefined) return [];
    const { serviceId } = found.record;
    const service = serviceId === '' ? undefined : drafts.instance(node, serviceId)?.record;
    return [{ type: 'check', node, check: found, service }];
  };
  const set = (): readonly TxnResult[] => {
    const registration = onKnownNode(drafts, node);
    const serviceId = check?.serviceId ?? '';
    if (serviceId !== '' && drafts.instance(node, serviceId) === undefined)
      throw badTxnOp('Missing service registration');
    if (check !== undefined) drafts.register({ ...registration, checks: [check] });
    return give();
  };
  const subject = { kind: 'Check', label: `check ${quoted(id)} on node ${quoted(node)}`, known, index };
  return evaluateVerb(verb, subject, { give, set, remove: () => drafts.removeCheck(node, id) });
}

/** What an operation is about. */
interface Subject {
  readonly kind: string;
  readonly label: string;
  readonly known: Drafted<unknown> | undefined;
  /** What `cas` and `delete-cas` compare with. */
  readonly index: Revision;
}

interface Acts {
  readonly give: () => readonly TxnResult[];
  readonly set: () => readonly TxnResult[];
  readonly remove: () => void;
}

/** The verbs of the catalog are the same for nodes, services and checks. */
function evaluateVerb(verb: string, { kind, label, known, index }: Subject, acts: Acts): readonly TxnResult[] {
  switch (verb) {
    case 'get':
      if (known === undefined) throw badTxnOp(`${label} doesn't exist`);
      return acts.give();
    case 'cas':
      if (!stands(known, index)) throw badTxnOp(`failed to set ${label}, index is stale`);
      return acts.set();
    case 'set':
      return acts.set();
    case 'delete-cas':
      if (known === undefined || !stands(known, index)) throw badTxnOp(`failed to delete ${label}, index is stale`);
      acts.remove();
      return [];
    case 'delete':
      acts.remove();
      return [];
    default:
      throw badTxnOp(`unknown ${kind} verb ${quoted(verb)}`);
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
function stands(known: Drafted<unknown> | undefined, index: Revision): boolean {
  return known === undefined ? index === 0 : index !== 0 && known.modRevision === index;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
