import { expect, test } from 'vitest';
import { AgentTokens, type AgentTokenSecrets } from './agent-tokens.ts';

test('set() of several kinds at once keeps them all, in memory and on the disk, whichever is written first', async () => {
  const disk: AgentTokenSecrets[] = [];
  const waiting: (() => void)[] = [];
  const keep = async (secrets: AgentTokenSecrets): Promise<void> => {
    await new Promise<void>((resolve) => void waiting.push(resolve));
    disk.push(secrets);
  };
  const tokens = new AgentTokens({ keep });
  const all = Promise.all([tokens.set('default', 'd'), tokens.set('agent', 'a'), tokens.set('dns', 'n')]);
  for (let turn = 0; turn < 10; turn++) {
    waiting.pop()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await all;
  expect([tokens.get('default'), tokens.get('agent'), tokens.get('dns')]).toEqual(['d', 'a', 'n']);
  expect(disk.at(-1)).toEqual({ default: 'd', agent: 'a', dns: 'n' });
});

test('set() that cannot be kept changes nothing, and the next one is taken', async () => {
  let isFull = true;
  const keep = (): Promise<void> => (isFull ? Promise.reject(new Error('disk full')) : Promise.resolve());
  const tokens = new AgentTokens({ configured: { default: 'c' }, keep });
  await expect(tokens.set('default', 'd')).rejects.toThrow('disk full');
  expect(tokens.get('default')).toBe('c');
  isFull = false;
  await tokens.set('agent', 'a');
  expect([tokens.get('default'), tokens.get('agent')]).toEqual(['c', 'a']);
});
