import { chmod, symlink } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { loadConfig } from './load-config.ts';
import { testDirectory } from './testing.ts';
import { problemOf } from './trusted-file.ts';

describe('problemOf() says', () => {
  const me = 1000;
  const file = (mode: number, uid = me, gid = uid): Parameters<typeof problemOf>[0] => ({
    uid,
    gid,
    mode,
  });
  const cases: [what: string, facts: ReturnType<typeof file>, expected: string | null][] = [
    ["nothing of one's own file", file(0o100_644), null],
    ["nothing of root's file", file(0o100_644, 0), null],
    ['chmod of a file that everyone can write', file(0o100_646), 'chmod'],
    ['chmod of a file that a group can write', file(0o100_664, me, 50), 'chmod'],
    ["nothing of a file that one's private group can write", file(0o100_664), null],
    ['chmod where the group of that number has members', file(0o100_664, 0), 'chmod'],
    ["chown of another user's file", file(0o100_600, 7), 'chown'],
    ['nothing of a sticky directory', file(0o041_777, 0), null],
    ['chmod of a directory that everyone can write', file(0o040_777, 0), 'chmod'],
    ['nothing of a link of root', file(0o120_777, 0), null],
    ["chown of another user's link", file(0o120_777, 7), 'chown'],
  ];
  test.each(cases)('%s', (_what, facts, expected) => {
    expect(problemOf(facts, me, new Set([me]))?.mend ?? null).toBe(expected);
  });
});

describe('assertTrusted()', () => {
  const commands: [what: string, content: object][] = [
    ['the provision command', { provision: { command: 'true' } }],
    ['a script check', { service: { name: 'x', check: { args: ['true'], interval: '1s' } } }],
    ['a script check', { check: { name: 'x', script: 'true', interval: '1s' } }],
  ];

  test.each(commands)('refuses %s of a file that everyone can write: %j', async (what, content) => {
    await using directory = await testDirectory({ 'a.json': content });
    const file = directory.at('a.json');
    await chmod(file, 0o666);
    await expect(loadConfig({ dev: true, configFile: [file] })).rejects.toMatchObject({
      code: 'CONFIG_UNTRUSTED',
      message: `${what} is not taken from ${file}: ${file} can be written by everyone`,
      hint: `chmod go-w ${file}`,
      place: { file, line: 1 },
    });
    await chmod(file, 0o644);
    await expect(loadConfig({ dev: true, configFile: [file] })).resolves.toBeDefined();
  });

  test('refuses a command where everyone can put another file in its place', async () => {
    await using directory = await testDirectory({ 'a.json': { provision: { command: 'true' } } });
    await chmod(directory.path, 0o777);
    await expect(loadConfig({ dev: true, configFile: [directory.at('a.json')] })).rejects.toMatchObject({
      code: 'CONFIG_UNTRUSTED',
      hint: `chmod go-w ${directory.path}`,
    });
  });

  test('refuses a command where everyone can move a directory on the way and put another in its place', async () => {
    await using directory = await testDirectory({ 'far/near/a.json': { provision: { command: 'true' } } });
    await chmod(directory.at('far'), 0o777);
    await expect(loadConfig({ dev: true, configFile: [directory.at('far/near/a.json')] })).rejects.toMatchObject({
      code: 'CONFIG_UNTRUSTED',
      hint: `chmod go-w ${directory.at('far')}`,
    });
    // Debian's /usr/local is like this.
    await chmod(directory.at('far'), 0o2775);
    await expect(loadConfig({ dev: true, configFile: [directory.at('far/near/a.json')] })).resolves.toBeDefined();
  });

  test('refuses a command behind a link into a directory that everyone can write', async () => {
    await using directory = await testDirectory({ 'open/a.json': { provision: { command: 'true' } } });
    await symlink(directory.at('open/a.json'), directory.at('a.json'));
    await chmod(directory.at('open'), 0o777);
    await expect(loadConfig({ dev: true, configFile: [directory.at('a.json')] })).rejects.toMatchObject({
      code: 'CONFIG_UNTRUSTED',
      hint: `chmod go-w ${directory.at('open')}`,
    });
  });

  test("refuses a script check of a node's config_dir", async () => {
    await using directory = await testDirectory({
      'a.json': { nodes: [{ name: 'a', config_dir: 'd' }] },
      'd/x.json': { check: { name: 'x', script: 'true', interval: '1s' } },
    });
    await chmod(directory.at('d/x.json'), 0o666);
    await expect(loadConfig({ dev: true, configFile: [directory.at('a.json')] })).rejects.toMatchObject({
      code: 'CONFIG_UNTRUSTED',
    });
  });

  test('takes a file that everyone can write when it names no command', async () => {
    await using directory = await testDirectory({
      'a.json': { service: { name: 'x', check: { http: 'http://127.0.0.1', interval: '1s' } } },
    });
    await chmod(directory.at('a.json'), 0o666);
    await expect(loadConfig({ dev: true, configFile: [directory.at('a.json')] })).resolves.toBeDefined();
  });
});
