import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../agent/index.ts';
import { consulAgentFlags, SETTINGS } from './agent-flags.ts';

const flagsOf = (words: string, environment: Record<string, string> = {}) =>
  consulAgentFlags(words.split(' ').filter(Boolean), environment);

describe('consulAgentFlags() gives', () => {
  test.each<[words: string, flags: object]>([
    ['', { inline: [] }],
    ['-dev', { dev: true }],
    ['-server -bootstrap-expect=1', { server: true, settings: { bootstrap_expect: 1 } }],
    ['-dc x --node y', { datacenter: 'x', node: 'y' }],
    ['-config-file a -config-file=b -config-dir c', { configFile: ['a', 'b'], configDir: ['c'] }],
    ['-bind=127.0.0.2 -client 127.0.0.3', { bind: '127.0.0.2', client: '127.0.0.3' }],
    ['-http-port -1 -dns-port=-1', { httpPort: -1, dnsPort: -1 }],
    ['-https-port=1 -serf-lan-port=2', { settings: { ports: { https: 1, serf_lan: 2 } } }],
    ['-node-meta a:b -node-meta c:d', { settings: { node_meta: { a: 'b', c: 'd' } } }],
    ['-retry-join a -retry-join b -join c', { settings: { retry_join: ['a', 'b'], start_join: ['c'] } }],
    ['-ui -ui-dir /x', { settings: { ui_config: { enabled: true, dir: '/x' } } }],
    ['-enable-script-checks', { enableScriptChecks: true }],
    ['-config-format=hcl', { configFormat: 'hcl' }],
    ['-hcl a=1 -hcl b=2', { inline: [{ from: '-hcl', text: 'a=1', format: 'hcl' }, { text: 'b=2' }] }],
  ])('%s', (words, flags) => {
    expect(flagsOf(words)).toMatchObject(flags);
  });

  test('CONSUL_LOCAL_CONFIG, before snippets', () => {
    const { inline } = flagsOf('-hcl a=1', { CONSUL_LOCAL_CONFIG: '{"legacy":true}' });
    expect(inline?.map(({ from }) => from)).toEqual(['CONSUL_LOCAL_CONFIG', '-hcl']);
    expect(flagsOf('', { CONSUL_LOCAL_CONFIG: '' }).inline).toEqual([]);
  });

  test.each([
    ['start', 'unexpected argument "start"'],
    ['-config-format=yaml', 'expected json or hcl, found "yaml"'],
    ['-bogus', 'flag provided but not defined: -bogus'],
  ])('an error for %s', (words, text) => {
    expect(() => flagsOf(words)).toThrow(text);
  });
});

const VALUES: Readonly<Record<string, string>> = {
  'node-id': '5ca6a3a0-0f5c-4e1c-8a3c-9e5b9e1f3c11',
  advertise: '127.0.0.1',
  recursor: '127.0.0.53',
  'allow-write-http-from': '127.0.0.0/8',
};
const SAMPLES = { flag: 'true', text: 'x', number: '7', list: 'x', map: 'a:b' } as const;

test.each(Object.entries(SETTINGS))('the agent takes -%s, with at most one warning', async (name, [kind]) => {
  const flags = flagsOf(`-dev -${name}=${VALUES[name] ?? SAMPLES[kind]}`);
  expect((await loadConfig(flags)).warnings.length).toBeLessThanOrEqual(1);
});
