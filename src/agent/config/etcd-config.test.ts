import { chmod } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { etcdWarnings } from './etcd-config.ts';
import { loadConfig } from './load-config.ts';
import { testDirectory } from './testing.ts';

const FILES = { 'tls/ca.pem': 'x', 'tls/a.pem': 'x', 'tls/a.key': 'x', password: 'secret' };
const TLS = { ca_file: 'tls/ca.pem', cert_file: 'tls/a.pem', key_file: 'tls/a.key' };

describe('etcdConfigOf()', () => {
  test('gives nothing when nothing is said', async () => {
    expect((await loadConfig({ server: true })).etcd).toEqual({ tls: null, user: null });
  });

  test('adds up what several files say, paths relative to the file that says it', async () => {
    await using directory = await testDirectory({
      ...FILES,
      'a.json': { store: 'etcd://h1', etcd: TLS },
      'more/b.json': { etcd: { user: 'drover', password_file: '../password' } },
    });
    const configFile = [directory.at('a.json'), directory.at('more/b.json')];
    const { etcd, warnings } = await loadConfig({ server: true, configFile });
    expect(etcd).toEqual({
      tls: {
        caFile: directory.at('tls/ca.pem'),
        certFile: directory.at('tls/a.pem'),
        keyFile: directory.at('tls/a.key'),
      },
      user: { name: 'drover', passwordFile: directory.at('password') },
    });
    expect(warnings).toEqual([]);
  });

  const bad: [what: string, etcd: object, code: string, message: RegExp][] = [
    [
      'a certificate without its key',
      { ca_file: 'tls/ca.pem', cert_file: 'x' },
      'CONFIG_CONFLICT',
      /cert_file is given without etcd.key_file/,
    ],
    [
      'a certificate without an authority',
      { cert_file: 'x', key_file: 'y' },
      'CONFIG_CONFLICT',
      /without etcd.ca_file/,
    ],
    ['a user without a password', { user: 'drover' }, 'CONFIG_CONFLICT', /user is given without etcd.password_file/],
    ['a password of nobody', { password_file: 'password' }, 'CONFIG_CONFLICT', /without etcd.user/],
    ['a file that is not there', { ca_file: 'tls/other.pem' }, 'CONFIG_UNREADABLE', /tls\/other\.pem/],
    ['a key that means nothing', { cafile: 'x' }, 'DEFINITION_UNKNOWN_KEY', /cafile/],
  ];
  test.each(bad)('refuses %s', async (_, etcd, code, message) => {
    await using directory = await testDirectory({ ...FILES, 'a.json': { store: 'etcd://h1', etcd } });
    await expect(loadConfig({ server: true, configFile: [directory.at('a.json')] })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    });
  });

  test('refuses an authority that everyone can replace, and says where it is named', async () => {
    await using directory = await testDirectory({ ...FILES, 'a.json': { store: 'etcd://h1', etcd: TLS } });
    await chmod(directory.at('tls/ca.pem'), 0o666);
    await expect(loadConfig({ server: true, configFile: [directory.at('a.json')] })).rejects.toMatchObject({
      code: 'CONFIG_UNTRUSTED',
      message: expect.stringMatching(/etcd\.ca_file is not taken .* can be written by everyone/) as string,
      place: { file: directory.at('a.json'), line: 1 },
    });
  });
});

describe('etcdWarnings()', () => {
  const tls = { caFile: '/ca', certFile: null, keyFile: null };
  const user = { name: 'drover', passwordFile: '/p' };
  test.each([
    [{ tls, user }, 'etcd://h', []],
    [{ tls: null, user: null }, 'sqlite:/x', []],
    [{ tls: null, user }, 'etcd://h', [/in the clear/]],
    [{ tls, user: null }, 'sqlite:/x', [/it means nothing/]],
  ])('%j with %s', (etcd, store, expected) => {
    const warnings = etcdWarnings(etcd, store);
    expect(warnings).toHaveLength(expected.length);
    expected.forEach((pattern, at) => expect(warnings[at]).toMatch(pattern));
  });
});

describe('snapshotConfigOf()', () => {
  test.each([
    [{ every: '0s' }, null],
    [{ every: '1h' }, { everyMs: 3_600_000, keep: 7, directory: '/d/snapshots' }],
    [
      { every: '1h', keep: 2, directory: '/s' },
      { everyMs: 3_600_000, keep: 2, directory: '/s' },
    ],
  ])('%j', async (snapshots, expected) => {
    await using directory = await testDirectory({ 'a.json': { data_dir: '/d', snapshots } });
    const config = await loadConfig({ server: true, configFile: [directory.at('a.json')] });
    expect(config.snapshots).toEqual(expected);
  });

  test('takes no time that is too short', async () => {
    await using directory = await testDirectory({ 'a.json': { snapshots: { every: '1s' } } });
    await expect(loadConfig({ server: true, configFile: [directory.at('a.json')] })).rejects.toMatchObject({
      code: 'DEFINITION_INVALID',
      message: expect.stringMatching(/at least 10s/) as string,
    });
  });
});
