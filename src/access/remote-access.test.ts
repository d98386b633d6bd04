import { expect, test } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import { AgentTokens } from './agent-tokens.ts';
import { ANONYMOUS_SECRET } from './builtin.ts';
import { RemoteAccess, type AskedToken } from './remote-access.ts';
import { TEST_SETTINGS } from './testing.ts';

const WEB = { resource: 'service', match: 'exact', name: 'web', level: 'write' } as const;
const word = (rules: readonly object[], more: object = {}): AskedToken => ({
  word: { accessor: 'acc', isManagement: false, rules, ...more },
  ttlMs: 30_000,
});

function start(said: Record<string, AskedToken | null>, enabled = true, tokens = new AgentTokens()) {
  const clock = new FakeClock();
  const asked: string[] = [];
  const region = { isThere: true };
  const ask = (secret: string): Promise<AskedToken | null> => {
    asked.push(secret);
    if (!region.isThere) return Promise.reject(new Error('cut off'));
    return Promise.resolve(said[secret] ?? null);
  };
  const access = new RemoteAccess({ ask, settings: { ...TEST_SETTINGS, enabled }, tokens, clock });
  const may = async (secret: string, name = 'web'): Promise<boolean> => {
    await access.prepare(secret);
    return access.authorityOf(secret).allows('service', name, 'write');
  };
  return { clock, access, asked, region, said, may };
}

test('RemoteAccess decides by what a server said of a token, and asks once in its time', async () => {
  const { may, asked, access, clock } = start({ s: word([WEB]) });
  expect([await may('s'), await may('s'), await may('s', 'db')]).toEqual([true, true, false]);
  expect(asked).toEqual(['s']);
  expect(access.authorityOf('s').accessor).toBe('acc');
  await clock.advance(30_000);
  await may('s');
  expect(asked).toEqual(['s', 's']);
});

test('RemoteAccess goes on with what was said last while nobody can be asked, and takes up what is said then', async () => {
  const { may, clock, region, said } = start({ s: word([WEB]) });
  await may('s');
  region.isThere = false;
  await clock.advance(3_600_000);
  expect(await may('s')).toBe(true);
  await new Promise((resolve) => setImmediate(resolve));
  region.isThere = true;
  said['s'] = word([]);
  expect(await may('s')).toBe(false);
});

test('RemoteAccess lets a token do nothing that was never asked for', async () => {
  const { may, region } = start({ s: word([WEB]) });
  region.isThere = false;
  expect(await may('s')).toBe(false);
});

test('RemoteAccess refuses a token that is not there, until it is', async () => {
  const { may, clock, said } = start({});
  await expect(may('s')).rejects.toMatchObject({ code: 'ACCESS_UNKNOWN_TOKEN' });
  said['s'] = word([WEB]);
  await clock.advance(5_000);
  expect(await may('s')).toBe(true);
});

test('RemoteAccess asks for the agent’s default token where none is shown, else for the anonymous one', async () => {
  const own = start({}, true, new AgentTokens({ configured: { default: 'mine' } }));
  await own.access.prepare('');
  expect(own.asked).toEqual(['mine']);
  const none = start({});
  await none.access.prepare('');
  expect(none.asked).toEqual([ANONYMOUS_SECRET]);
});

test('RemoteAccess knows management tokens, and the recovery token of its own agent without asking', async () => {
  const tokens = new AgentTokens({ configured: { agent_recovery: 'rescue' } });
  const { may, access, asked, region } = start({ root: word([], { isManagement: true }) }, true, tokens);
  expect(await may('root', 'anything')).toBe(true);
  region.isThere = false;
  expect(access.prepare('rescue')).toBeUndefined();
  expect(access.authorityOf('rescue').allows('agent', TEST_SETTINGS.node, 'write')).toBe(true);
  expect(access.authorityOf('rescue').allows('service', 'web', 'write')).toBe(false);
  expect(asked).toEqual(['root']);
});

test.each([
  ['no object', 7],
  ['an unknown resource', { accessor: '', isManagement: false, rules: [{ ...WEB, resource: 'world' }] }],
  ['no rules', { accessor: '', isManagement: true }],
])('RemoteAccess takes nothing from an answer that is %s', async (_what, said) => {
  const { may } = start({ s: { word: said, ttlMs: 1 } });
  expect(await may('s')).toBe(false);
});

test('RemoteAccess allows everything where access control is off', () => {
  const { access, asked } = start({}, false);
  expect(access.prepare('s')).toBeUndefined();
  expect(access.authorityOf('s').id).toBe('');
  expect(asked).toEqual([]);
});

test('RemoteAccess goes on with a token while others ask for any number that are none', async () => {
  const { access, may, clock, region } = start({ s: word([WEB]) });
  await may('s');
  for (let at = 0; at < 10_100; at++) await access.prepare(`none-${at}`);
  region.isThere = false;
  await clock.advance(60_000);
  expect(await may('s')).toBe(true);
});
