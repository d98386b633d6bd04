import { expect, test } from 'vitest';
import { aclConfigOf, aclWarnings } from './acl-config.ts';
import { loadConfig } from './load-config.ts';
import { testDirectory } from './testing.ts';

const UUID = '5e6b2d4e-8c35-4b0e-9a41-0123456789ab';
const OFF = {
  enabled: false,
  defaultPolicy: 'allow',
  keyListPolicy: false,
  tokenPersistence: false,
  initialManagement: null,
  tokens: {},
};

test.each([
  ['nothing', {}, OFF],
  [
    'acl',
    { acl: { enabled: true, default_policy: 'deny' as const } },
    { ...OFF, enabled: true, defaultPolicy: 'deny' },
  ],
  [
    'tokens',
    { acl: { tokens: { initial_management: 'm', default: 'd', dns: 'n', agent: '' } } },
    { ...OFF, initialManagement: 'm', tokens: { default: 'd', dns: 'n' } },
  ],
  [
    'the old spellings',
    {
      acl_datacenter: 'dc1',
      acl_default_policy: 'deny' as const,
      acl_master_token: 'm',
      acl_token: 'd',
      acl_agent_token: 'a',
      acl_agent_master_token: 'r',
    },
    {
      ...OFF,
      enabled: true,
      defaultPolicy: 'deny',
      initialManagement: 'm',
      tokens: { default: 'd', agent: 'a', agent_recovery: 'r' },
    },
  ],
  [
    'both spellings, of which the newer wins',
    { acl_datacenter: 'dc1', acl_token: 'old', acl: { enabled: false, tokens: { default: 'new', master: 'm' } } },
    { ...OFF, initialManagement: 'm', tokens: { default: 'new' } },
  ],
])('aclConfigOf() takes %s', (_name, input, config) => {
  expect(aclConfigOf(input)).toEqual(config);
});

test('aclWarnings() tells of tokens that mean nothing and of those that can be guessed', () => {
  const said = (input: Parameters<typeof aclConfigOf>[0]): string[] => aclWarnings(aclConfigOf(input));
  expect(said({})).toEqual([]);
  expect(said({ acl: { enabled: true, tokens: { initial_management: UUID } } })).toEqual([]);
  expect(said({ acl: { tokens: { default: UUID } } })).toEqual([expect.stringContaining('they mean nothing')]);
  const [guessed] = said({ acl: { enabled: true, tokens: { initial_management: 'hunter2' } } });
  expect(guessed).toContain('can be guessed');
  expect(guessed).not.toContain('hunter2');
});

test.each([
  ['a policy that is none', `{ "acl": { "default_policy": "den", "tokens": { "default": "${UUID}" } } }`],
  ['an unknown key', `{ "acl": { "tokens": { "initial_management": "hunter2",\n "defualt": "${UUID}" } } }`],
  ['a token that is no text', `{ "acl": { "tokens": { "master": "hunter2",\n "default": 17171717 } } }`],
  ['what is no JSON', `{ "acl": { "tokens": { "initial_management": "hunter2",\n "dns": "${UUID}" "x" } } }`],
])('loadConfig() shows no token when it refuses %s', async (_name, text) => {
  await using directory = await testDirectory({ 'a.json': text });
  const error = (await loadConfig({ configFile: [directory.at('a.json')] }).catch(
    (thrown: unknown) => thrown,
  )) as Error;
  expect(error).toBeInstanceOf(Error);
  expect(JSON.stringify(error) + error.message).not.toMatch(/hunter2|5e6b2d4e|17171717/);
});
