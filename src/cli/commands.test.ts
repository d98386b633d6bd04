import { describe, expect, test } from 'vitest';
import { COMMANDS, loadCommands } from './commands.ts';
import { run, type FakeOptions } from './testing.ts';

const service = {
  id: 'api',
  federation: 'default',
  defined: true,
  public: false,
  instances: 2,
  health: 'passing',
  requiredBy: ['www'],
  reachedAt: '127.0.0.1:1100',
};
const detail = {
  ...service,
  definition: { id: 'api' },
  instancesOf: [{ node: 'n1', id: 'api', address: '10.0.0.1', port: 1100, health: 'passing', tags: ['v1', 'blue'] }],
  notes: ['api requires www requires api'],
};
const node = {
  name: 'n1',
  address: '10.0.0.1',
  federation: 'default',
  status: 'up',
  runs: ['api'],
  services: [{ id: 'api', service: 'api', health: 'passing' }],
  external: false,
};
const idle = {
  enabled: true,
  running: false,
  queued: false,
  runs: 0,
  last: null,
  configured: true,
  causes: [],
  held: null,
  retryAt: null,
};
const variable = { name: 'A', value: "it's", state: 'ready', secret: false, from: [], unresolved: [] };
const secret = { name: 'DATABASE_URL', value: null, state: 'ready', secret: true, from: [], unresolved: [] };
const environment = (...variables: object[]): object => ({ service: 'www', node: 'n1', revision: 4, variables });
const status = { node: 'n1', nodes: ['n1', 'n2'], dns: '127.0.0.1:8600' };
const entry = (value: Buffer | string, more = ''): string =>
  `[{"LockIndex":0,"Key":"k","Flags":18446744073709551615,"Value":"${Buffer.from(value).toString('base64')}"${more},"CreateIndex":1,"ModifyIndex":9}]`;

interface Case {
  readonly words: string | readonly string[];
  readonly options: FakeOptions;
  readonly stdout: string;
  readonly stderr?: string;
  readonly exit?: number;
  /** Beside those that are answered in the options. */
  readonly sent?: string;
}

const CASES: readonly Case[] = [
  {
    words: 'service:list',
    options: {
      answers: {
        'GET /v2/services': {
          json: [service, { ...service, id: 'www', federation: 'x', public: true, requiredBy: [] }],
        },
      },
    },
    stdout:
      'service  instances  health   required by  reached at\napi      2          passing  www          127.0.0.1:1100\nx/www    2          passing  (public)     127.0.0.1:1100\n',
  },
  {
    words: 'service:list',
    options: { answers: { 'GET /v2/services': { json: [] } } },
    stdout: '',
    stderr: 'there are no services yet: drover service:apply defines them\n',
  },
  {
    words: 'service:show api --federation f',
    options: { answers: { 'GET /v2/services/api?federation=f': { json: detail } } },
    stdout:
      'api: passing, 2 instances, reached at 127.0.0.1:1100\nrequired by: www\nnote: api requires www requires api\n\ninstance  address        health   tags\napi@n1    10.0.0.1:1100  passing  v1,blue\n\n{\n  "id": "api"\n}\n',
  },
  {
    words: ['service:show', 'a/b'],
    options: {
      answers: {
        'GET /v2/services/a%2Fb': {
          json: { ...service, instances: 0, requiredBy: [], definition: null, instancesOf: [], notes: [] },
        },
      },
    },
    stdout: 'api: no instances, reached at 127.0.0.1:1100\nrequired by: nobody\nit is registered, but not defined\n',
  },
  {
    words: 'service:remove api',
    options: {
      answers: {
        'DELETE /v2/definitions/api': { json: { id: 'api', federation: 'default', requiredBy: ['www'] }, revision: 8 },
      },
    },
    stdout: 'definition api is removed at r8\n',
    stderr: 'note: www still require what it provided, and keep their last environment\n',
  },
  {
    words: 'datastore:list',
    options: {
      answers: { 'GET /v2/datastores': { json: [{ name: 'A', federation: 'default', region: '-', value: '•••' }] } },
    },
    stdout: 'datastore  federation  region  value\nA          default     every   •••\n',
  },
  {
    words: 'datastore:list --reveal',
    options: {
      answers: {
        'GET /v2/datastores?reveal=true': {
          json: [{ name: 'A', federation: 'default', region: 'aws', value: 's3cret' }],
        },
      },
    },
    stdout: 'datastore  federation  region  value\nA          default     aws     s3cret\n',
  },
  {
    words: 'datastore:set A - --federation f --region aws',
    options: {
      input: 's3cret\n',
      answers: { 'PUT /v2/datastores/A?federation=f&region=aws': { json: {}, revision: 5 } },
    },
    sent: ' {"value":"s3cret"}',
    stdout: 'datastore A is set at r5\n',
  },
  {
    words: 'datastore:set A - --json',
    options: {
      input: 'two\nlines\r\n',
      terminal: { input: true },
      answers: { 'PUT /v2/datastores/A': { json: {}, revision: 5 } },
    },
    sent: ' {"value":"two\\nlines"}',
    stdout: '{\n  "name": "A",\n  "revision": 5\n}\n',
    stderr: 'type the value, then Ctrl-D on a line of its own\n',
  },
  {
    words: 'datastore:remove A --region aws',
    options: { answers: { 'DELETE /v2/datastores/A?region=aws': { json: {}, revision: 6 } } },
    stdout: 'datastore A is removed at r6\n',
  },
  {
    words: 'env www',
    options: { answers: { 'GET /v2/environment/www': { json: environment(variable, secret) } } },
    stdout: "export A='it'\\''s'\n# DATABASE_URL is secret: --reveal prints it\n",
  },
  {
    words: 'env www --reveal --node n2',
    options: {
      answers: {
        'GET /v2/environment/www?node=n2&reveal=true': { json: environment({ ...secret, value: 'mysql://x' }) },
      },
    },
    stdout: "export DATABASE_URL='mysql://x'\n",
  },
  {
    words: 'env www --format json',
    options: { answers: { 'GET /v2/environment/www': { json: environment(variable, secret) } } },
    stdout: '{\n  "A": "it\'s"\n}\n',
    stderr: 'left out as secret, --reveal prints them: DATABASE_URL\n',
  },
  {
    words: 'env www --format DOTENV',
    options: {
      answers: {
        'GET /v2/environment/www': { json: environment({ ...variable, value: 'v', state: 'stale', from: ['api'] }) },
      },
    },
    stdout: "A='v'\n",
    stderr: 'A is stale: the last value is kept, nothing answers at api\n',
  },
  {
    words: 'env www --ready',
    options: {
      answers: {
        'GET /v2/environment/www': { json: environment({ ...variable, state: 'waiting', unresolved: ['API_URL'] }) },
      },
    },
    stdout: '',
    exit: 3,
    stderr:
      'error ENVIRONMENT_UNRESOLVED: www requires what is not there: API_URL waits for an instance that answers\nhint: drover service:list shows what does not pass its checks\n',
  },
  {
    words: 'env www',
    options: {
      answers: {
        'GET /v2/environment/www': {
          json: environment(
            { ...variable, value: null, state: 'missing', unresolved: ['X', 'Y'] },
            { ...variable, state: 'missing', value: null, unresolved: ['X'] },
          ),
        },
      },
    },
    stdout: '',
    exit: 3,
    stderr: ['X', 'Y']
      .map(
        (name) =>
          `error ENVIRONMENT_UNRESOLVED: www requires what is not there: ${name} is missing\nhint: set it with drover datastore:set ${name} -, or apply a definition that provides it\n`,
      )
      .join(''),
  },
  {
    words: 'exec www -- /bin/true',
    options: {
      answers: {
        'GET /v2/environment/www?reveal=true': {
          json: environment({ ...variable, value: null, state: 'missing', unresolved: ['X'] }),
        },
      },
    },
    stdout: '',
    exit: 3,
    stderr:
      'error ENVIRONMENT_UNRESOLVED: www requires what is not there: X is missing\nhint: set it with drover datastore:set X -, or apply a definition that provides it\n',
  },
  {
    words: 'listener:on --node n2 --json',
    options: { answers: { 'POST /v2/listener/on?node=n2': { json: idle } } },
    stdout: `${JSON.stringify(idle, null, 2)}\n`,
  },
  {
    words: 'listener:off',
    options: { answers: { 'POST /v2/listener/off': { json: { ...idle, enabled: false } } } },
    stdout: 'the listener is off; no provision runs; 0 runs so far\nit has not provisioned yet\n',
  },
  {
    words: 'listener:status',
    options: { answers: { 'GET /v2/listener': { json: idle } } },
    stdout: 'the listener is on; no provision runs; 0 runs so far\nit has not provisioned yet\n',
  },
  {
    words: 'node:list',
    options: { answers: { 'GET /v2/nodes': { json: [node, { ...node, name: 'db', services: [], external: true }] } } },
    stdout:
      'node  address   federation  status    services\nn1    10.0.0.1  default     up        api\ndb    10.0.0.1  default     no agent\n',
  },
  {
    words: 'node:show n1',
    options: { answers: { 'GET /v2/nodes/n1': { json: node } } },
    stdout:
      'n1 (10.0.0.1) is up, federation default\nruns: api\n\ninstance  service  health\napi       api      passing\n',
  },
  {
    words: ['node:maintenance', 'on', '--node', 'n1', '--service', 'api', '--reason', 'new disk'],
    options: {
      answers: {
        'PUT /v2/maintenance?node=n1&service=api&reason=new+disk&enable=true': {
          json: { node: 'n1', service: 'api', enabled: true },
          revision: 7,
        },
      },
    },
    stdout: 'api@n1 is in maintenance at r7\n',
  },
  {
    words: 'node:release n1',
    options: { answers: { 'PUT /v2/nodes/n1/release': { json: { node: 'n1' }, revision: 9 } } },
    stdout: 'node n1 is let go at r9\n',
  },
  {
    words: 'node:maintenance off',
    options: {
      answers: {
        'PUT /v2/maintenance?enable=false': { json: { node: 'n1', service: null, enabled: false }, revision: 8 },
      },
    },
    stdout: 'node n1 is out of maintenance at r8\n',
  },
  {
    words: ['kv:get', 'a b/ü'],
    options: { answers: { 'GET /v1/kv/a%20b%2F%C3%BC': { text: entry('v'), type: 'application/json' } } },
    stdout: 'v',
  },
  {
    words: 'kv:get k',
    options: {
      terminal: { output: true },
      answers: { 'GET /v1/kv/k': { text: entry('v'), type: 'application/json' } },
    },
    stdout: 'v\n',
  },
  {
    words: 'kv:get k --json',
    options: { answers: { 'GET /v1/kv/k': { text: entry('é'), type: 'application/json' } } },
    stdout:
      '{\n  "LockIndex": 0,\n  "Key": "k",\n  "Flags": 18446744073709551615,\n  "Value": "é",\n  "CreateIndex": 1,\n  "ModifyIndex": 9,\n  "Encoding": "utf-8"\n}\n',
  },
  {
    words: 'kv:get k',
    options: { answers: { 'GET /v1/kv/k': { status: 404, text: '' } } },
    stdout: '',
    exit: 4,
    stderr: 'error CLI_UNKNOWN_KEY: there is no key "k"\nhint: drover kv:list shows the keys there are\n',
  },
  {
    words: 'kv:put k v --cas 0',
    options: { answers: { 'PUT /v1/kv/k?cas=0': { json: true, revision: 3 } } },
    sent: ' v',
    stdout: '"k" is set at r3\n',
  },
  {
    words: 'kv:put k -',
    options: { input: 'as it is\n', answers: { 'PUT /v1/kv/k': { json: true, revision: 3 } } },
    sent: ' as it is\n',
    stdout: '"k" is set at r3\n',
  },
  {
    words: 'kv:put k v --cas 4',
    options: { answers: { 'PUT /v1/kv/k?cas=4': { json: false } } },
    sent: ' v',
    stdout: '',
    exit: 6,
    stderr:
      'error CLI_CHANGED_SINCE: "k" was changed since; nothing is written\nhint: read it again: drover kv:get "k" --json\n',
  },
  {
    words: 'kv:put k v',
    options: { answers: { 'PUT /v1/kv/k': { status: 413, text: 'too large' } } },
    sent: ' v',
    stdout: '',
    exit: 2,
    stderr: 'error HTTP_413: too large\n',
  },
  {
    words: 'kv:delete k/ --recurse',
    options: { answers: { 'DELETE /v1/kv/k%2F?recurse=': { json: true, revision: 4 } } },
    stdout: 'every key that begins with "k/" is deleted at r4\n',
  },
  {
    words: 'kv:delete k',
    options: { answers: { 'DELETE /v1/kv/k': { json: true, revision: 4 } } },
    stdout: '"k" is deleted at r4\n',
  },
  { words: 'kv:list', options: { answers: { 'GET /v1/kv/?keys=': { json: ['a', 'b/c'] } } }, stdout: 'a\nb/c\n' },
  {
    words: 'kv:list x --json',
    options: { answers: { 'GET /v1/kv/x?keys=': { status: 404, text: '' } } },
    stdout: '[]\n',
  },
  {
    words: 'dns:resolve api.service.consul',
    options: {
      answers: { 'GET /v2/status': { json: status } },
      names: {
        '127.0.0.1:8600 api.service.consul SRV': [{ priority: 1, weight: 1, port: 1100, name: 'n1.node.consul' }],
      },
    },
    stdout: '1 1 1100 n1.node.consul\n',
  },
  {
    words: 'dns:resolve geo.query.consul',
    options: {
      answers: { 'GET /v2/status': { json: status } },
      names: {
        '127.0.0.1:8600 geo.query.consul SRV': [
          { priority: 1, weight: 10, port: 80, name: '0a000001.addr.dc1.consul' },
        ],
      },
    },
    stdout: '1 10 80 0a000001.addr.dc1.consul\n',
  },
  {
    words: 'dns:resolve 10.0.0.1',
    options: {
      answers: { 'GET /v2/status': { json: status } },
      names: { '127.0.0.1:8600 1.0.0.10.in-addr.arpa. PTR': ['n1.node.dc1.consul'] },
    },
    stdout: 'n1.node.dc1.consul\n',
  },
  {
    words: 'dns:resolve n1.node.consul --type txt',
    options: {
      answers: { 'GET /v2/status': { json: status } },
      names: { '127.0.0.1:8600 n1.node.consul TXT': [['a=1', 'b']] },
    },
    stdout: '"a=1" "b"\n',
  },
  {
    words: 'dns:resolve x.node.consul',
    options: {
      answers: { 'GET /v2/status': { json: status } },
      names: { '127.0.0.1:8600 x.node.consul A': 'ENOTFOUND' },
    },
    stdout: '',
    exit: 4,
    stderr:
      'error CLI_NO_SUCH_NAME: x.node.consul A: there is no such name\nhint: drover service:list shows what is there; a service without a passing instance has no name\n',
  },
  {
    words: 'dns:resolve x.node.consul',
    options: {
      answers: { 'GET /v2/status': { json: status } },
      names: { '127.0.0.1:8600 x.node.consul A': 'ETIMEOUT' },
    },
    stdout: '',
    exit: 1,
    stderr: 'error CLI_DNS_FAILED: x.node.consul A: no answer from 127.0.0.1:8600: ETIMEOUT\nhint: drover doctor\n',
  },
  {
    words: 'dns:resolve x',
    options: { answers: { 'GET /v2/status': { json: { ...status, dns: null } } } },
    stdout: '',
    exit: 1,
    stderr: 'error CLI_NO_DNS: the agent’s DNS is switched off\nhint: start the agent with --dns-port 8600\n',
  },
  {
    words: 'trace r9',
    options: {
      answers: {
        'GET /v2/trace/9': {
          json: { revision: 9, at: '', summary: [], consumers: [], arrived: 0, of: 0, converged: true },
        },
      },
    },
    stdout: 'r9\nit concerns nobody\n',
  },
  {
    words: 'leave',
    options: { answers: { 'GET /v2/status': { json: status }, 'PUT /v1/agent/leave': { text: '' } } },
    stdout: 'the agent leaves with n1, n2\n',
  },
];

describe('the commands', () => {
  test.each(CASES.map((one) => [typeof one.words === 'string' ? one.words : one.words.join(' '), one] as const))(
    '%s',
    async (_name, { words, options, stdout, stderr = '', exit = 0, sent = '' }) => {
      const ran = await run(words, options);
      expect({ exit: ran.exit, stdout: ran.stdout, stderr: ran.stderr }).toEqual({ exit, stdout, stderr });
      expect(ran.requests.join('')).toBe(Object.keys(options.answers ?? {}).join('') + sent);
    },
  );

  test('are loaded under the name of their usage, with all that help shows', async () => {
    for (const [name, command] of await loadCommands()) {
      expect(command.usage.split(' ')[0]).toBe(name);
      expect(command.summary).toMatch(/^[A-Z].*[^.]$/);
      expect(command.example.split('\n').every((line) => line.includes(`drover ${name}`))).toBe(true);
    }
    expect(Object.keys(COMMANDS).length).toBeGreaterThan(26);
  });

  test('refuse a value from standard input that is too long or no text', async () => {
    const tooLong = await run('datastore:set A -', { input: 'x'.repeat(1_048_577) });
    expect(tooLong).toMatchObject({ exit: 2, requests: [] });
    const binary = await run('datastore:set A -', { input: Buffer.from([0xff]) });
    expect(binary).toMatchObject({ exit: 2, requests: [] });
    expect(binary.stderr).toContain('the value is not UTF-8 text');
  });

  test('give a value that is no text in base64', async () => {
    const { stdout } = await run('kv:get k --json', {
      answers: { 'GET /v1/kv/k': { text: entry(Buffer.from([0xff, 0])), type: 'application/json' } },
    });
    expect(JSON.parse(stdout)).toMatchObject({ Value: '/wA=', Encoding: 'base64' });
  });
});
