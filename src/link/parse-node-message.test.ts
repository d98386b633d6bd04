import { describe, expect, test } from 'vitest';
import { checkRecordOf, instanceRecordOf, nodeRecordOf } from '../registry/testing.ts';
import type { NodeMessage } from './messages.ts';
import { parseNodeMessage } from './parse-node-message.ts';
import { parseRegionMessage } from './parse-region-message.ts';

const { external: _external, ...record } = nodeRecordOf({ name: 'n1' });
const instance = instanceRecordOf({ service: 'api', tags: ['a'], meta: { k: 'v' } });
const check = checkRecordOf({ id: 'up', serviceId: 'api' });
const digests = { instances: [['api', 'x']] as const, checks: [] };
const hello = { type: 'hello', protocol: 2, node: 'n1', epoch: 1, agent: 'a', record, digests, choices: {} } as const;

describe('parseNodeMessage()', () => {
  test.each<NodeMessage>([
    hello,
    { type: 'report', id: 1, transitions: [{ type: 'instance', instance, checks: [check] }] },
    {
      type: 'report',
      id: 1,
      transitions: [
        { type: 'node', node: record },
        { type: 'instance-gone', id: 'api' },
      ],
    },
    {
      type: 'report',
      id: 1,
      transitions: [
        { type: 'check', check },
        { type: 'check-gone', id: 'up' },
      ],
    },
    {
      type: 'report',
      id: 1,
      transitions: [{ type: 'alive', alive: { status: 'left', since: '', evidence: 'it says so' } }],
    },
    { type: 'sync', id: 2, digest: 'abc' },
    { type: 'details', id: 2, record, digests },
    { type: 'give', id: 0, instances: [instance], checks: [check] },
    { type: 'receipt', receipt: { node: 'n1', kind: 'balancer', revision: 7, outcome: 'held', retryAt: 'soon' } },
    { type: 'ask', id: 1, kind: 'dns', ask: { packet: '' } },
    { type: 'answer', id: 1, answer: null },
    { type: 'answer-error', id: 1, code: 'X', status: 500, message: 'no' },
    { type: 'ping' },
  ])('parseNodeMessage() takes $type as it came over the wire', (message) => {
    expect(parseNodeMessage(JSON.parse(JSON.stringify(message)))).toEqual(message);
  });

  test('parseNodeMessage() lets a greeting of another protocol by, for the words that refuse it', () => {
    expect(parseNodeMessage({ type: 'hello', protocol: 3, other: true })).toMatchObject({ protocol: 3 });
  });

  test.each<[string, unknown, string]>([
    ['null', null, 'no object'],
    ['a text', 'hello', 'no object'],
    ['no type', {}, 'type'],
    ['another type', { type: 'welcome' }, 'type'],
    ['a greeting without its node', { ...hello, record: undefined }, 'record'],
    ['a greeting without a protocol', { ...hello, protocol: '2' }, 'protocol'],
    ['a negative epoch', { ...hello, epoch: -1 }, 'epoch'],
    ['a greeting of no agent', { ...hello, agent: '' }, 'agent'],
    ['a group that is no name', { ...hello, record: { ...record, provisionGroup: 'a\u0000b' } }, 'control character'],
    [
      'choices without end',
      {
        ...hello,
        choices: Object.fromEntries(
          Array.from({ length: 10_001 }, (_, at) => [`C${at}`, { instance: 'i', value: 'v' }]),
        ),
      },
      'too many',
    ],
    ['an empty name', { ...hello, node: '' }, 'node'],
    ['a name of 256 bytes', { ...hello, node: 'ü'.repeat(128) }, 'more than 255 bytes'],
    ['a control character', { ...hello, record: { ...record, address: '1.1.1.1\n' } }, 'control character'],
    [
      'a port out of range',
      { type: 'give', id: 0, instances: [{ ...instance, port: 65_536 }], checks: [] },
      'instances.0.port',
    ],
    ['tags that are none', { type: 'give', id: 0, instances: [{ ...instance, tags: [1] }], checks: [] }, 'tags.0'],
    [
      'a status that is none',
      { type: 'report', id: 1, transitions: [{ type: 'check', check: { ...check, status: 'fine' } }] },
      'status',
    ],
    [
      'a node that calls itself down',
      { type: 'report', id: 1, transitions: [{ type: 'alive', alive: { status: 'down', since: '' } }] },
      'status',
    ],
    ['an id that is no number', { type: 'sync', id: '1', digest: 'x' }, 'id'],
    [
      'an outcome that is none',
      { type: 'receipt', receipt: { node: 'n', kind: 'dns', revision: 1, outcome: 'great' } },
      'outcome',
    ],
  ])('parseNodeMessage() throws for %s', (_what, value, why) => {
    expect(() => parseNodeMessage(value)).toThrow(why);
  });
});

describe('parseRegionMessage()', () => {
  test('parseRegionMessage() takes a message of a region, and throws for any other', () => {
    expect(parseRegionMessage({ type: 'pong' })).toEqual({ type: 'pong' });
    for (const value of [null, 1, {}, { type: 'hello' }])
      expect(() => parseRegionMessage(value)).toThrow(/no object|no message/);
  });
});
