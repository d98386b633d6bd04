import { describe, expect, test } from 'vitest';
import { judgeGreeting, type Hello, type Speaker } from './judge-greeting.ts';
import { PROTOCOL_VERSION, type NodeMessage } from './messages.ts';
import { linkAway } from './errors.ts';

const record = { name: 'n', address: '10.0.0.1', id: 'id' } as Hello['record'];
const hello = (more: Partial<Hello> = {}): Hello =>
  ({ type: 'hello', protocol: PROTOCOL_VERSION, node: 'n', agent: 'a', epoch: 1_000, record, ...more }) as Hello;
const speaker = (more: Partial<Speaker> = {}): Speaker => ({
  linked: undefined,
  heard: undefined,
  stored: null,
  denial: null,
  wallMs: 1_000,
  ...more,
});
const linked = { agent: 'a', epoch: 900, record, isWelcome: true };

describe('judgeGreeting()', () => {
  test.each<[string, Hello, Speaker]>([
    ['nobody spoke for the node', hello(), speaker()],
    ['the same agent comes again', hello(), speaker({ linked })],
    [
      'another agent comes while the first is not welcomed',
      hello({ agent: 'b' }),
      speaker({ linked: { ...linked, isWelcome: false } }),
    ],
    ['it is somewhat above a registry from the future', hello({ epoch: 9e15 }), speaker({ stored: 9e15 - 5 })],
  ])('takes up a greeting when %s', (_when, message, known) => {
    expect(judgeGreeting(message, () => known)).toBeNull();
  });

  test.each<[string, NodeMessage, Speaker, string]>([
    ['it is none', { type: 'ping' } as NodeMessage, speaker(), 'it is "ping"'],
    ['its protocol is another', hello({ protocol: 99 }), speaker(), '99'],
    ['it registers another node', hello({ node: 'm' }), speaker(), 'another node'],
    ['its token may not', hello(), speaker({ denial: linkAway('n') }), 'n'],
    ['another agent is linked', hello({ agent: 'b' }), speaker({ linked }), '10.0.0.1'],
    ['a later start is linked', hello({ epoch: 800 }), speaker({ linked }), '800'],
    ['a later start was heard', hello({ epoch: 800 }), speaker({ heard: 900 }), '800'],
    ['it is of the far future', hello({ epoch: 9e15 }), speaker(), 'not of this time'],
  ])('refuses when %s', (_when, message, known, why) => {
    expect(judgeGreeting(message, () => known)?.message).toContain(why);
  });
});
