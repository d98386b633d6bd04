import { expect, test } from 'vitest';
import type { CheckRecord } from '../registry/index.ts';
import { aliasTargetOf, judgeAlias } from './alias-target.ts';

const record = (id: string, status: CheckRecord['status'], part: Partial<CheckRecord> = {}): CheckRecord => ({
  id,
  name: `the ${id}`,
  serviceId: 'db',
  status,
  output: `${id} is ${status}`,
  notes: '',
  type: 'tcp',
  interval: '',
  timeout: '',
  definition: {},
  since: '',
  ...part,
});
const self = { node: 'n1', id: 'service:web', serviceId: 'web' };
const here = { node: 'n1', serviceId: 'db' };
const there = { node: 'n2', serviceId: 'db' };

test('aliasTargetOf() is an instance of the own node unless another is named', () => {
  expect(aliasTargetOf({ aliasService: 'db' }, 'n1')).toEqual(here);
  expect(aliasTargetOf({ aliasService: 'db', aliasNode: 'n2' }, 'n1')).toEqual(there);
  expect(aliasTargetOf({ aliasNode: 'n2' }, 'n1')).toEqual({ node: 'n2', serviceId: '' });
});

test.each([
  [[], 'passing', 'No checks found.'],
  [[record('a', 'passing')], 'passing', 'All checks passing.'],
  [[record('a', 'passing'), record('b', 'warning')], 'warning', 'Aliased check "the b" failing: b is warning'],
  [[record('a', 'warning'), record('b', 'critical')], 'critical', 'Aliased check "the b" failing: b is critical'],
  [[record('a', 'unknown'), record('b', 'critical')], 'critical', 'Aliased check "the b" failing: b is critical'],
  [[record('_node_maintenance', 'critical', { serviceId: '' })], 'critical', 'Aliased check "the _node_maintenance"'],
])('judgeAlias() of %j is %s', (checks, status, output) => {
  const found = judgeAlias(here, checks, self);
  expect(found?.status).toBe(status);
  expect(found?.output).toContain(output);
});

test('judgeAlias() waits for a target without a result', () => {
  expect(judgeAlias(here, [record('a', 'passing'), record('b', 'unknown')], self)).toBeNull();
});

test('judgeAlias() is critical when there is no such target', () => {
  const output = 'Service db could not be found on node n2';
  expect(judgeAlias(there, null, self)).toEqual({ status: 'critical', output });
  expect(judgeAlias({ node: 'n2', serviceId: '' }, null, self)?.output).toBe('Node n2 could not be found');
});

test.each([
  ['itself', here, record('service:web', 'critical')],
  ['an alias of its service', here, record('b', 'critical', { type: 'alias', definition: { AliasService: 'web' } })],
  [
    'an alias of its service from another node',
    there,
    record('b', 'critical', { type: 'alias', definition: { AliasService: 'web', AliasNode: 'n1' } }),
  ],
])('judgeAlias() leaves out %s', (_what, target, check) => {
  expect(judgeAlias(target, [check], self)?.status).toBe('passing');
});

test.each([
  ['a check of its own id elsewhere', there, record('service:web', 'critical')],
  ['an alias of something else', here, record('b', 'critical', { type: 'alias', definition: { AliasService: 'x' } })],
  [
    'an alias of a service of its name on another node',
    there,
    record('b', 'critical', { type: 'alias', definition: { AliasService: 'web' } }),
  ],
])('judgeAlias() counts %s', (_what, target, check) => {
  expect(judgeAlias(target, [check], self)?.status).toBe('critical');
});

test('judgeAlias() of a node leaves out aliases of that node on it, which see this one', () => {
  const other = record('b', 'critical', { serviceId: '', type: 'alias', definition: { AliasService: 'db' } });
  expect(judgeAlias(here, [other], { ...self, serviceId: '' })?.status).toBe('passing');
});
