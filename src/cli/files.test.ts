import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { run } from './testing.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'drover-cli-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function file(name: string, content: object | string): Promise<string> {
  const full = path.join(directory, name);
  await writeFile(full, typeof content === 'string' ? content : JSON.stringify(content));
  return full;
}

const APPLIED = {
  applied: ['api', 'www'],
  warnings: ['www requires X, which nobody provides'],
  notes: ['api requires www requires api'],
};
const apply = { 'PUT /v2/definitions': { json: APPLIED, revision: 9 } };

describe('drover service:apply', () => {
  test('sends all files at once, and says warnings and notes on stderr', async () => {
    const api = await file('api.json', { id: 'api', status: '/s' });
    const www = await file('web.yaml', 'id: www\nstatus: /s\nfederation: staging\n');
    const { exit, stdout, stderr, requests } = await run(['service:apply', api, www, '--federation', 'f'], {
      answers: apply,
    });
    expect({ exit, stdout }).toEqual({ exit: 0, stdout: 'applied api, www at r9\n' });
    expect(stderr).toContain('web.yaml defines "www": name the file');
    expect(stderr).toContain('warning: www requires X, which nobody provides\nnote: api requires www requires api\n');
    const [sent] = requests.map((one) => JSON.parse(one.replace('PUT /v2/definitions ', '')) as object[]);
    expect(sent).toMatchObject([
      { id: 'api', federation: 'f' },
      { id: 'www', federation: 'staging' },
    ]);
  });

  test('changes nothing with --dry-run', async () => {
    const api = await file('api.json', { id: 'api', status: '/s' });
    const answers = { 'PUT /v2/definitions?dryRun=true': { json: { applied: ['api'], warnings: [], notes: [] } } };
    const { exit, stdout } = await run(['service:apply', api, '--dry-run', '--wait'], { answers });
    expect({ exit, stdout }).toEqual({ exit: 0, stdout: 'would apply api; nothing is changed\n' });
  });

  test('gives programs warnings and notes in the data', async () => {
    const api = await file('api.json', { id: 'api', status: '/s' });
    const { stdout, stderr } = await run(['service:apply', api, '--json'], { answers: apply });
    expect(JSON.parse(stdout)).toEqual({ ...APPLIED, dryRun: false, revision: 9 });
    expect(stderr).toBe('');
  });

  test('exits 2 with the place of what is wrong, having sent nothing', async () => {
    const broken = await file(
      'www.json',
      '{\n  "id": "www",\n  "environment": {\n    "ENV": "x"\n    "PORT": 1\n  }\n}\n',
    );
    const { exit, stdout, stderr, requests } = await run(['service:apply', broken], { answers: apply });
    expect({ exit, stdout, requests }).toEqual({ exit: 2, stdout: '', requests: [] });
    expect(stderr).toContain(`error DEFINITION_SYNTAX: ${broken}:5:5: expected ','`);
    const { stderr: json } = await run(['service:apply', broken, '--json'], { answers: apply });
    expect(JSON.parse(json)).toMatchObject({ error: { code: 'DEFINITION_SYNTAX', place: { line: 5, column: 5 } } });
  });

  test('names every file that is wrong', async () => {
    const one = await file('a.json', { id: 'a', enviroment: {} });
    const { exit, stderr } = await run(['service:apply', one, path.join(directory, 'none.json')], { answers: apply });
    expect(exit).toBe(2);
    expect(stderr).toContain('none.json');
  });
});

describe('drover datastore:import', () => {
  test('sets every value in its scope, and shows none', async () => {
    const all = await file('datastores.json', { A: 's3cret', regions: { aws: { B: 'hidden' } } });
    const answers = {
      'PUT /v2/datastores/A?federation=default': { json: {}, revision: 3 },
      'PUT /v2/datastores/B?federation=default&region=aws': { json: {}, revision: 4 },
    };
    const { exit, stdout, stderr, requests } = await run(['datastore:import', all], { answers });
    expect({ exit, stdout, stderr }).toEqual({ exit: 0, stdout: '2 datastores are set at r4: A, B\n', stderr: '' });
    expect(requests.map((one) => one.replace(/^.*? \{/, '{'))).toEqual(['{"value":"s3cret"}', '{"value":"hidden"}']);
  });

  test('says how far it came when the agent goes away', async () => {
    const all = await file('datastores.json', { A: '1', B: '2', C: '3' });
    const answers = {
      'PUT /v2/datastores/A?federation=default': { json: {}, revision: 3 },
      'PUT /v2/datastores/B?federation=default': new TypeError('no'),
    };
    const { exit, stdout, stderr } = await run(['datastore:import', all], { answers });
    expect({ exit, stdout }).toEqual({ exit: 1, stdout: '' });
    expect(stderr).toContain('error CLI_PARTLY_SET: 1 of 3 datastores are set; it stopped at B');
    expect(stderr).toContain('no drover agent answers');
  });
});
