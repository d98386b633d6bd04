import { stat } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { AgentTokenFile } from './agent-token-file.ts';
import { testDirectory } from './config/testing.ts';
import { takeResetIndex } from './reset-file.ts';

test('AgentTokenFile keeps tokens for its owner alone', async () => {
  await using directory = await testDirectory();
  const file = new AgentTokenFile(directory.path);
  expect(await file.read()).toEqual({});
  await file.keep({ default: 'x', dns: '' });
  expect(await new AgentTokenFile(directory.path).read()).toEqual({ default: 'x', dns: '' });
  expect((await stat(directory.at('acl-tokens.json'))).mode & 0o777).toBe(0o600);
});

test.each(['{', '[1]', '{"default": 7}', '{"other": "hunter2"}', 'null'])(
  'AgentTokenFile refuses %s, and says nothing of it',
  async (text) => {
    await using directory = await testDirectory({ 'acl-tokens.json': text });
    const refused = new AgentTokenFile(directory.path).read();
    await expect(refused).rejects.toThrow('cannot read the agent’s tokens');
    await expect(refused).rejects.not.toThrow('hunter2');
  },
);

test.each([
  ['13', 13],
  ['13\n', 13],
  ['', 0],
  ['x', 0],
  ['-1', 0],
  ['1e9', 0],
])('takeResetIndex() of %j is %d, once', async (text, index) => {
  await using directory = await testDirectory({ 'acl-bootstrap-reset': text });
  expect(await takeResetIndex(directory.path)).toBe(index);
  expect(await takeResetIndex(directory.path)).toBe(0);
});
