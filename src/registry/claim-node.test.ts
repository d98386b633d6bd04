import { describe, expect, test } from 'vitest';
import { refusalOfClaim, type KnownNode, type NodeClaim } from './claim-node.ts';
import type { AliveRecord, OwnerRecord } from './records.ts';
import { nodeRecordOf } from './testing.ts';

const NODE = nodeRecordOf({ name: 'n1', id: 'one', address: '10.0.0.1' });

function known(owner: Partial<OwnerRecord> | null, status: AliveRecord['status'] = 'up'): KnownNode {
  const full = { epoch: 5, server: 's1', agent: 'a', ...owner };
  return { node: NODE, alive: { status, since: '' }, owner: owner === null ? undefined : full };
}

function claim(more: Partial<NodeClaim> & { readonly id?: string } = {}): NodeClaim {
  const { id = 'one', ...rest } = more;
  return { node: { name: 'n1', id, address: '10.0.0.2' }, epoch: 6, server: 's2', agent: 'a', ...rest };
}

function claimOfNobody(): NodeClaim {
  const { agent: _agent, ...rest } = claim();
  return rest;
}

describe('refusalOfClaim()', () => {
  test.each<[string, KnownNode, NodeClaim]>([
    ['nobody knows the node', { node: undefined, alive: undefined, owner: undefined }, claim()],
    ['nobody speaks for it', known(null), claim({ agent: 'b', id: 'two' })],
    ['its agent links again, elsewhere and at another address', known({}), claim()],
    ['its agent says more over the same link', known({}), claim({ epoch: 5, server: 's1' })],
    ['its owner says not which agent it is', { ...known({}), owner: { epoch: 5 } }, claim({ agent: 'b', id: 'two' })],
    ['its agent is down', known({}, 'down'), claim({ agent: 'b', id: 'two' })],
    ['its agent has left', known({}, 'left'), claim({ agent: 'b', id: 'two' })],
    ['the same node without its data directory is suspected', known({}, 'suspected'), claim({ agent: 'b' })],
    [
      'the same node without its data directory was linked to this server',
      known({}),
      claim({ agent: 'b', server: 's1' }),
    ],
  ])('refusalOfClaim() is null when %s', (_when, node, said) => {
    expect(refusalOfClaim(node, said)).toBeNull();
  });

  test.each<[string, KnownNode, NodeClaim, string]>([
    ['a later start has spoken', known({}), claim({ epoch: 4 }), 'REGISTRY_OLD_EPOCH'],
    ['another agent is up', known({}), claim({ agent: 'b', id: 'two' }), 'REGISTRY_NODE_NAME_HELD'],
    ['another agent was linked to this server', known({}), claim({ agent: 'b', id: 'two', server: 's1' }), 'NAME_HELD'],
    ['another agent is suspected', known({}, 'suspected'), claim({ agent: 'b', id: 'two' }), 'REGISTRY_NODE_NAME_HELD'],
    ['another one of the same id is up elsewhere', known({}), claim({ agent: 'b' }), 'REGISTRY_NODE_NAME_HELD'],
    ['somebody who says not which agent it is comes', known({}), claimOfNobody(), 'REGISTRY_NODE_NAME_HELD'],
    ['a free name is claimed by an old clock', known({}, 'down'), claim({ agent: 'b', epoch: 1 }), 'OLD_EPOCH'],
  ])('refusalOfClaim() is an error when %s', (_when, node, said, code) => {
    expect(refusalOfClaim(node, said)?.code).toContain(code);
  });

  test('refusalOfClaim() names both addresses when two agents want one name', () => {
    expect(refusalOfClaim(known({}), claim({ agent: 'b', id: 'two' }))?.message).toBe(
      'node name "n1" is held by the agent at 10.0.0.1 (id one), which is up; the one at 10.0.0.2 has it when that one is down or has left',
    );
  });
});
