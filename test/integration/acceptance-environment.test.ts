import { afterAll, beforeAll, expect, test } from 'vitest';
import { endOf, isAlive, runProgram } from './acceptance-processes.ts';
import { until } from '../until.ts';
import { DATABASE, startRegion } from './acceptance-region.ts';
import type { TestRegion } from './acceptance-region.ts';
import { pictureOf } from './acceptance-traffic.ts';

const OTHER = 'mysql://user:new@db2/app';

let region: TestRegion;
beforeAll(async () => {
  region = await startRegion();
});
afterAll(() => region?.[Symbol.asyncDispose]());

const apiUrl = (): string => `http://${region.address('staging')}:1100`;
const wwwFile = (): string => region.environmentFile('staging', 'app-www');

test('drover env gives every value of the document, and secrets only with --reveal', async () => {
  const revealed = await region.drover('env', 'app-www', '--reveal');
  expect(revealed).toMatchObject({ code: 0, stderr: '' });
  expect(revealed.stdout.split('\n')).toEqual([
    `export ENV='production'`,
    `export PORT='8080'`,
    `export API_URL='${apiUrl()}'`,
    `export DATABASE_URL='${DATABASE}'`,
    '',
  ]);
  const hidden = await region.drover('env', 'app-www');
  expect(hidden).toMatchObject({ code: 0, stderr: '' });
  expect(hidden.stdout).toMatch(/^# DATABASE_URL/m);
  expect(hidden.stdout).toContain(`export API_URL='${apiUrl()}'`);
  expect(hidden.stdout).not.toMatch(/password|export DATABASE_URL/);
});

test('drover env writes JSON and dotenv as well', async () => {
  const values = { ENV: 'production', PORT: '8080', API_URL: apiUrl(), DATABASE_URL: DATABASE };
  const json = await region.drover('env', 'app-www', '--reveal', '--format', 'json');
  expect(JSON.parse(json.stdout)).toEqual(values);
  const dotenv = await region.drover('env', 'app-www', '--reveal', '--format', 'dotenv');
  expect(dotenv.stdout.trim().split('\n')).toContain(`DATABASE_URL='${DATABASE}'`);
  for (const format of ['json', 'dotenv']) {
    const { code, stdout } = await region.drover('env', 'app-www', '--format', format);
    expect(code).toBe(0);
    expect(stdout).not.toContain('password');
    expect(stdout).toContain(apiUrl());
  }
  expect(await region.drover('env', 'app-www', '--format', 'toml')).toMatchObject({ code: 2, stdout: '' });
  expect(await region.drover('env', 'app-ww')).toMatchObject({ code: 4, stdout: '' });
});

test('the document’s own way works: `. FILE && command` sees its three values, and nobody else may read the file', async () => {
  const script = '. "$0" && printf "%s\\n" "$ENV" "$DATABASE_URL" "$API_URL"';
  const { stdout } = await runProgram('/bin/sh', ['-c', script, wwwFile()], { env: {} });
  expect(stdout.trim().split('\n')).toEqual(['production', DATABASE, apiUrl()]);
  expect(((await pictureOf(wwwFile())) as { mode: number }).mode & 0o777).toBe(0o640);
});

test('with the datastore removed drover env exits 3 and names what is missing, and the file is untouched', async () => {
  const before = await pictureOf(wwwFile());
  const removed = await region.drover('datastore:remove', 'PRIMARY_DATABASE_URL', '--wait=5s');
  expect(removed.code).toBe(1);
  expect(removed.stderr).toMatch(/environment@[\w-]+ refused.*PRIMARY_DATABASE_URL/);
  const asked = await region.drover('env', 'app-www', '--reveal');
  expect(asked).toMatchObject({ code: 3, stdout: '' });
  expect(asked.stderr).toContain('PRIMARY_DATABASE_URL is missing');
  expect(asked.stderr).not.toContain('password');
  expect(await region.drover('env', 'api', '--node', 'api-1')).toMatchObject({ code: 3, stdout: '' });
  expect((await region.drover('exec', 'app-www', '--', 'true')).code).toBe(3);
  expect(await pictureOf(wwwFile())).toEqual(before);
  await region.arrived(await region.setDatabase(DATABASE));
  expect((await region.drover('env', 'app-www', '--ready')).code).toBe(0);
  expect(await pictureOf(wwwFile())).toEqual(before);
});

test('drover exec runs a command in the environment and ends as it ends', async () => {
  const script = 'printf "%s\\n" "$DATABASE_URL" "$API_URL" "$HOME"; exit 7';
  const ran = await region.drover('exec', 'app-www', '--', '/bin/sh', '-c', script);
  expect(ran).toMatchObject({
    code: 7,
    stdout: `${DATABASE}\n${apiUrl()}\n${process.env['HOME'] ?? ''}\n`,
    stderr: '',
  });
  expect((await region.drover('exec', 'app-www', '--', '/no/such/program')).code).toBe(127);
});

test('drover exec --restart starts the command again with the new value, and --pin does not', async () => {
  const words = ['--', '/bin/sh', '-c', 'echo "$$ $DATABASE_URL"; exec sleep 60'];
  const following = region.spawnDrover('exec', 'app-www', '--restart', ...words);
  const pinned = region.spawnDrover('exec', 'app-www', '--pin', ...words);
  const said = { following: '', pinned: '' };
  following.stdout?.on('data', (data) => (said.following += String(data)));
  pinned.stdout?.on('data', (data) => (said.pinned += String(data)));
  try {
    await until('both run', () => said.following.includes(DATABASE) && said.pinned.includes(DATABASE));
    await region.setDatabase(OTHER);
    await until('it runs with the new value', () => said.following.includes(OTHER));
    const pids = said.following
      .trim()
      .split('\n')
      .map((line) => Number(line.split(' ')[0]));
    expect(pids).toHaveLength(2);
    expect(isAlive(pids[0] as number)).toBe(false);
    following.kill('SIGTERM');
    await endOf(following);
    expect(isAlive(pids[1] as number)).toBe(false);
    expect(said.pinned).not.toContain(OTHER);
  } finally {
    following.kill('SIGTERM');
    pinned.kill('SIGTERM');
    await Promise.all([endOf(following), endOf(pinned)]);
    await region.arrived(await region.setDatabase(DATABASE));
  }
});

test('what waits or is stale is printed with a line on stderr; --ready takes it for unresolved', async () => {
  await region.end('elasticsearch', 'staging');
  await until('it is critical', () => hasHealth('elasticsearch', 'critical'));
  const stale = await region.drover('env', 'api', '--node', 'api-1');
  expect(stale.code).toBe(0);
  expect(stale.stderr).toMatch(/^ELASTICSEARCH_URL is stale/m);
  expect(stale.stdout).toContain(`export ELASTICSEARCH_URL='http://${region.address('staging')}:9200'`);
  const notReady = await region.drover('env', 'api', '--node', 'api-1', '--ready');
  expect(notReady).toMatchObject({ code: 3, stdout: '' });
  expect(notReady.stderr).toContain('ELASTICSEARCH_URL');

  await Promise.all([region.end('api', 'api-1'), region.end('api', 'api-2')]);
  await until('api is critical', () => hasHealth('api', 'critical'));
  const waiting = await region.drover('env', 'app-www');
  expect(waiting.code).toBe(0);
  expect(waiting.stderr).toMatch(/^API_URL is waiting/m);
  expect(waiting.stdout).toContain(`export API_URL='${apiUrl()}'`);
  const inVain = await region.drover('exec', 'app-www', '--ready=1s', '--', 'true');
  expect(inVain).toMatchObject({ code: 3, stdout: '' });
  expect(inVain.stderr).toContain('API_URL');

  const patient = region.drover('exec', 'app-www', '--ready=30s', '--', 'echo', 'ready');
  await Promise.all([
    region.start('api', 'api-1'),
    region.start('api', 'api-2'),
    region.start('elasticsearch', 'staging'),
  ]);
  expect(await patient).toMatchObject({ code: 0, stdout: 'ready\n' });
  await region.untilHealthy();
});

async function hasHealth(service: string, health: string): Promise<boolean> {
  return (await region.client.services()).some((one) => one.id === service && one.health === health);
}
