import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { WireDeployment } from '../../../client/src/index.ts';
import { isOver, isStopped, namesOf, newDeployment, nextNodes, resumed, shareOf } from './plan.ts';

const of = (nodes: WireDeployment['nodes'], more: Partial<WireDeployment> = {}): WireDeployment => ({
  group: 'web',
  atOnce: 2,
  mostFailures: 1,
  nodes,
  revision: 0,
  ...more,
});

test.each([
  ['1', 9, 1],
  ['10%', 50, 5],
  ['10%', 3, 1],
  ['0', 3, 0],
  ['101%', 3, null],
  ['x', 3, null],
])('shareOf(%j, %d) is %j', (text, nodes, expected) => {
  expect(shareOf(text, nodes)).toBe(expected);
});

describe('nextNodes()', () => {
  test.each<[string, WireDeployment, readonly string[]]>([
    ['the first one alone', newDeployment('web', ['c', 'a', 'b'], { atOnce: 2, mostFailures: 1 }), ['a']],
    ['nobody before it is done', of({ a: 'running', b: 'waiting', c: 'waiting' }), []],
    ['as many as may at once then', of({ a: 'done', b: 'waiting', c: 'waiting', d: 'waiting' }), ['b', 'c']],
    ['one for each that is through', of({ a: 'done', b: 'running', c: 'waiting', d: 'waiting' }), ['c']],
    ['another one after a failure that is allowed', of({ a: 'done', b: 'failed', c: 'waiting' }), ['c']],
    ['nobody after more', of({ a: 'done', b: 'failed', c: 'failed', d: 'waiting' }), []],
    ['nobody after a first one that failed', of({ a: 'failed', b: 'waiting' }, { mostFailures: 9 }), []],
  ])('begins with %s', (_what, deployment, expected) => {
    expect(nextNodes(deployment)).toEqual(expected);
  });
});

test('resumed() does again what failed or was under way', () => {
  expect(resumed(of({ a: 'done', b: 'failed', c: 'running', d: 'waiting' })).nodes).toEqual({
    a: 'done',
    b: 'waiting',
    c: 'waiting',
    d: 'waiting',
  });
});

test('a deployment ends: with everybody done, or stopped by failures; and never more run than may', () => {
  fc.assert(
    fc.property(
      fc.array(fc.boolean(), { maxLength: 20 }),
      fc.integer({ min: 1, max: 5 }),
      fc.nat(3),
      (ends, atOnce, mostFailures) => {
        let state = newDeployment(
          null,
          ends.map((_, at) => `n${at}`),
          { atOnce, mostFailures },
        );
        for (let turn = 0; !isOver(state); turn++) {
          expect(turn).toBeLessThan(100);
          for (const name of nextNodes(state)) state = { ...state, nodes: { ...state.nodes, [name]: 'running' } };
          const running = namesOf(state.nodes, 'running');
          expect(running.length).toBeLessThanOrEqual(atOnce);
          const [first] = running;
          if (first === undefined) continue;
          const isFine = ends[Number(first.slice(1))] === true;
          state = { ...state, nodes: { ...state.nodes, [first]: isFine ? 'done' : 'failed' } };
        }
        expect(isStopped(state) || namesOf(state.nodes, 'waiting').length === 0).toBe(true);
      },
    ),
  );
});
