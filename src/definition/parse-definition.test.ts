import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { DroverError, formatDroverError } from '../lib/index.ts';
import { readDocument } from './document.ts';
import { parseDefinition, readDefinition } from './parse-definition.ts';

const SEEDS = path.resolve(import.meta.dirname, '../../test/fixtures/seeds');
const api = readFileSync(path.join(SEEDS, 'api.json'), 'utf8');

function problemsOf(run: () => unknown): readonly DroverError[] {
  try {
    run();
  } catch (error) {
    if (!(error instanceof DroverError)) throw error;
    return error.problems.length > 0 ? error.problems : [error];
  }
  return [];
}

describe('readDefinition()', () => {
  test("gives the document's api.json as it is meant", () => {
    const { definition, warnings } = readDefinition(readDocument(api, 'api.json'));
    expect(definition).toEqual({
      id: 'api',
      federation: 'default',
      command: true,
      runList: ['python::default', 'python::virtualenv', 'igraph::default', 'igraph::python'],
      environment: { ENV: 'production', PORT: '1100' },
      requires: { DATABASE_URL: '{PRIMARY_DATABASE_URL}', ELASTICSEARCH_URL: '{API_ELASTICSEARCH_CLUSTER_URL}' },
      requiresServices: [],
      provides: { API_URL: 'http://{HOST}:{PORT}', READONLY_API_URL: 'http://{HOST}:{PORT}' },
      localPort: 1100,
      protocol: 'http',
      bind: 'any',
      panic: 'empty',
      public: false,
      hosts: [],
      shared: false,
      checks: [{ name: 'TCP connect', tcp: '{HOST}:{PORT}', intervalMs: 10_000, timeoutMs: 5_000 }],
      meta: {},
      incarnation: null,
      extra: {},
    });
    expect(warnings).toEqual([expect.stringContaining('its instances get a TCP check')]);
  });

  test.each([
    ['a.json', '{"id": "x", "environment": {"V": 1.10, "N": 9007199254740993, "B": true, "T": "1.10"}}'],
    ['a.yaml', 'id: x\nenvironment: {V: 1.10, N: 9007199254740993, B: true, T: "1.10"}\n'],
  ])('keeps numbers and booleans of %s as they are written', (file, text) => {
    const { environment } = readDefinition(readDocument(text, file)).definition;
    expect(environment).toEqual({ V: '1.10', N: '9007199254740993', B: 'true', T: '1.10' });
  });

  test('names the place of a misspelt key and the key that was meant', () => {
    const text = '{\n  "id": "app-www",\n  "enviroment": {\n    "ENV": "production"\n  }\n}';
    const [error] = problemsOf(() => readDefinition(readDocument(text, 'app-www.json')));
    expect(formatDroverError(error as DroverError)).toBe(
      [
        'error DEFINITION_UNKNOWN_KEY: app-www.json:3:3: unknown key "enviroment": did you mean "environment"?',
        '   2 |   "id": "app-www",',
        '   3 |   "enviroment": {',
        '     |   ^',
        'hint: write "environment"',
      ].join('\n'),
    );
  });

  test('reports everything that is wrong, in order of place, and shows no secret', () => {
    const text = [
      '{ "id": "api!", "colour": "red",',
      '  "environment": {"A-B": 1, "N": null},',
      '  "local_port": 99999, "protocol": "htp",',
      '  "provides": {"U": "http://{HOST", "V": 4},',
      '  "checks": [{"htp": "x", "interval": "10s"}, {"TTL": "ten"}, {"udp": "h:1", "shell": "sh", "interval": "1s"},',
      '             {"tcp": "a:1"}, {"tcp": "a:1", "interval": "1s", "tls_skip_verify": "x", "token": ["hunter2"]}] }',
    ].join('\n');
    const error = problemsOf(() => readDefinition(readDocument(text, 'api.json')));
    expect(error.map(({ place, message }) => `${place?.line}:${place?.column} ${message}`)).toEqual([
      expect.stringMatching(/^1:9 id: expected at most 63 letters.*, found "api!"$/),
      '1:17 unknown key "colour"',
      expect.stringMatching(/^2:19 environment.A-B: the name of a variable/),
      '2:34 environment.N: expected text, a number or a boolean, found null',
      '3:17 local_port: expected a port from 1 to 65535, found 99999',
      '3:36 protocol: expected "http" or "tcp", found "htp": did you mean "http"?',
      '4:21 provides.U: a lone "{" in a template',
      '4:42 provides.V: expected text such as "http://{HOST}:{PORT}", found 4',
      expect.stringMatching(/^5:14 checks\[0\]: a check needs one of http, tcp, udp, .*alias_service or ttl$/),
      '5:15 checks[0]: unknown key "htp": did you mean "http"?',
      expect.stringMatching(/^5:55 checks\[1\].ttl: expected a duration such as "10s".*, found "ten"$/),
      expect.stringContaining('checks[2].shell: "shell" is for docker_container_id'),
      '6:14 checks[3]: a check needs "interval", the time between two runs',
      expect.stringContaining('checks[4].tls_skip_verify: expected true or false, found "x"'),
      expect.stringContaining('checks[4].token: expected text, found a list'),
    ]);
  });
});

describe('parseDefinition()', () => {
  test('gives a frozen value, all the way down', () => {
    const definition = parseDefinition({ id: 'x', run: { cpu: { min: 1 } }, checks: [{ ttl: '10s' }] });
    expect(Object.isFrozen(definition)).toBe(true);
    expect(Object.isFrozen((definition.extra['run'] as { cpu: object }).cpu)).toBe(true);
    expect(Object.isFrozen(definition.checks[0])).toBe(true);
  });

  test.each([
    [{ requires: { A: '{B}' } }, { requires: { A: '{B}' }, requiresServices: [] }],
    [{ requires: ['api'] }, { requires: {}, requiresServices: ['api'] }],
    [
      { requires: ['api', 'api', { A: '{B}' }, { C: 'x{D}' }] },
      { requires: { A: '{B}', C: 'x{D}' }, requiresServices: ['api'] },
    ],
    [{ requires: [] }, { requires: {}, requiresServices: [] }],
    [{ run_list: ['a'] }, { command: true }],
    [{}, { command: false, public: false, federation: 'default', protocol: 'tcp', checks: [] }],
    [{ command: ['./x', '-v'] }, { command: ['./x', '-v'] }],
    [{ provides: { A: 'https://{HOST}' } }, { protocol: 'http' }],
    [{ provides: { A: 'mysql://{HOST}:{PORT}' } }, { protocol: 'tcp', checks: [] }],
    [
      { provides: { A: 'http://{HOST}' }, protocol: 'tcp' },
      { protocol: 'tcp', checks: [] },
    ],
    [{ provides: { A: 'http://{HOST}' }, checks: [] }, { checks: [] }],
    [
      { provides: { A: 'http://{HOST}' }, status: '/v2/status' },
      {
        checks: [
          { name: 'HTTP /v2/status', http: 'http://{HOST}:{PORT}/v2/status', intervalMs: 10_000, timeoutMs: 5_000 },
        ],
      },
    ],
    [{ meta: { rack: 7, spare: false } }, { meta: { rack: '7', spare: 'false' } }],
    [
      { regions: { eu: { local_port: 2 } }, run: 'static' },
      { extra: { regions: { eu: { local_port: 2 } }, run: 'static' } },
    ],
    [
      { provides: { A: '{ENV}-{host}-{META.rack}' }, environment: { ENV: 'x' } },
      { provides: { A: '{ENV}-{host}-{META.rack}' } },
    ],
  ])('takes %j', (input, expected) => {
    expect(parseDefinition({ id: 'x', ...input })).toMatchObject(expected);
  });

  test.each([
    [{}, 'the key "id" is missing'],
    [[], 'expected a map, found an empty list'],
    ['text', 'expected a map, found "text"'],
    [null, 'expected a map, found null'],
    [{ id: 'x', environment: { A: 'a\0b' } }, 'environment.A: the value holds a NUL byte'],
    [{ id: 'x', environment: ['A'] }, 'environment: expected a map, found a list'],
    [
      { id: 'x', requires: 'api' },
      'requires: expected a map of variable to "{NAME}", or a list of service ids, found "api"',
    ],
    [{ id: 'x', requires: { A: 4 } }, 'requires.A: expected text'],
    [{ id: 'x', requires: ['api', { 'A-B': 'x' }] }, 'requires[1].A-B: the name of a variable'],
    [{ id: 'x', requires: { A: '{B}' }, environment: { A: '1' } }, 'requires.A: A is set by "environment" too'],
    [{ id: 'x', requires: [{ A: '{B}' }, { A: '{C}' }] }, 'requires[1].A: A is set by "requires" too'],
    [{ id: 'x', provides: { A: '{HSOT}' } }, 'provides.A: unknown name "{HSOT}": did you mean "{HOST}"?'],
    [{ id: 'x', provides: { A: '{B}' }, requires: { B: '{C}' } }, 'a provided value cannot use a required one'],
    [{ id: 'x', provides: { A: '{Host}' } }, 'unknown name "{Host}": did you mean "{HOST}"?'],
    [{ id: 'x', local_port: 0 }, 'local_port: expected a port from 1 to 65535, found 0'],
    [{ id: 'x', local_port: 80.5 }, 'local_port: expected a port from 1 to 65535, found 80.5'],
    [{ id: 'x', local_port: '80' }, 'local_port: expected a port from 1 to 65535, found "80"'],
    [{ id: 'x', status: 'status' }, 'status: expected a path such as "/status", found "status"'],
    [{ id: 'x', federation: '../x' }, 'federation: expected at most 63 letters'],
    [{ id: '../x' }, 'id: expected at most 63 letters'],
    [{ id: 'x', command: '' }, 'command: expected true, false, a command line or a list of arguments'],
    [{ id: 'x', public: 'yes' }, 'public: expected true or false, found "yes"'],
    [{ id: 'x', hosts: ['not a host'] }, 'hosts[0]: expected a host name'],
    [{ id: 'x', regions: { eu: 4 } }, 'regions.eu: expected a map'],
  ])('refuses %j: %s', (input, message) => {
    const problems = problemsOf(() => parseDefinition(input));
    expect(problems.map((problem) => problem.message).join('\n')).toContain(message);
    expect(problems[0]).toMatchObject({ status: 400, exitCode: 2 });
  });

  test.each([
    [{ command: true }, 'has no "run_list"'],
    [{ requires: { A: 'API_URL' } }, 'did you mean "{API_URL}"?'],
    [{ requires: { A: 'http://x' } }, 'requires.A of x names nothing that it requires'],
  ])('warns of %j', (input, warning) => {
    const text = JSON.stringify({ id: 'x', ...input });
    expect(readDefinition(readDocument(text, 'x.json')).warnings.join('\n')).toContain(warning);
  });
});
