import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endOf, processesNaming, textOf } from './acceptance-processes.ts';
import { until } from '../until.ts';
import { DROVER, startRegion, type TestRegion } from './acceptance-region.ts';
import { requireComponent } from '../require-component.ts';
import { perTestStack } from '../per-test-stack.ts';

const SECRET = 'correct-horse-battery';
const DATABASE = `mysql://user:${SECRET}@db1:3306/app`;

const left = perTestStack();

/** Every file and socket below a folder. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

const modeOf = (file: string): number => statSync(file).mode & 0o777;

requireComponent('haproxy')('a running region', () => {
  let region: TestRegion;
  const READS = `
    v1/agent/self v1/agent/services v1/agent/checks v1/agent/members v1/agent/service/www v1/catalog/nodes v1/catalog/services
    v1/catalog/service/app-www v1/catalog/node/staging v1/health/state/any v1/health/service/api v1/health/node/staging
    v1/kv/?recurse v1/event/list v1/status/leader v2/status v2/services v2/services/app-www v2/nodes v2/nodes/staging
    v2/definitions v2/definitions/app-www v2/datastores v2/datastores/PRIMARY_DATABASE_URL v2/environment/app-www
    v2/changes?limit=1000 v2/trace/latest v2/late v2/balancer v2/listener v2/provisions v2/openapi.json
  `;

  beforeAll(async () => {
    region = await startRegion();
    await region.arrived(await region.setDatabase(DATABASE));
    await region.untilAtRest();
  });
  afterAll(() => region[Symbol.asyncDispose]());

  test('shows a datastore’s value to nobody who did not ask for it, and writes it nowhere but where it has to be', async () => {
    const ask = async (url: string, init: RequestInit = {}): Promise<string> =>
      (await fetch(`${region.http}/${url}`, init)).text();
    for (const url of READS.trim().split(/\s+/))
      expect([url, await ask(url)]).toEqual([url, expect.not.stringContaining(SECRET)]);
    // Bodies that are refused are not quoted, nor what is wrong in them.
    const headers = { 'content-type': 'application/json' };
    const broken = [
      `{"value": "${DATABASE}"`,
      `{"value": "${DATABASE}", "x": 1}`,
      `{"value": {"${DATABASE}": 1}}`,
      `${DATABASE}`,
    ];
    for (const body of [...broken, `{"value": "${DATABASE}\\u0000"}`]) {
      const answer = await ask('v2/datastores/PRIMARY_DATABASE_URL', { method: 'PUT', body, headers });
      expect(answer).toContain('error');
      expect(answer).not.toContain(SECRET);
    }
    const events = AbortSignal.timeout(500);
    const stream = await fetch(`${region.http}/v2/events?after=1`, { signal: events });
    let told = '';
    try {
      for await (const chunk of stream.body ?? []) told += Buffer.from(chunk).toString();
    } catch {
      // The time is up.
    }
    expect(told).toContain('datastore PRIMARY_DATABASE_URL');
    expect(told).not.toContain(SECRET);
    const { stdout, stderr } = await region.drover('env', 'app-www');
    expect(stdout + stderr).toContain('# DATABASE_URL is secret');
    expect(stdout + stderr).not.toContain(SECRET);
    expect(region.agentLog).not.toContain(SECRET);
    const holders = filesBelow(region.directory)
      .filter((file) => statSync(file).isFile() && readFileSync(file, 'latin1').includes(SECRET))
      .map((file) => path.relative(region.directory, file))
      // What the test's own provision command wrote down.
      .filter((file) => file !== 'provisions.log');
    const allowed = /^(agent\/store\/store\.db(-wal)?|nodes\/[^/]+\/services\.d\/[^/]+\.conf)$/;
    expect(holders.filter((file) => !allowed.test(file))).toEqual([]);
    expect(holders).toContain('nodes/staging/services.d/app-www.conf');
  });

  test('has no secret among the arguments of its processes, nor in the environment of any but the service itself', async () => {
    await region.tellProvision('staging', { takesMs: 2_000 });
    await region.setDatabase(`${DATABASE}?again`);
    const processes = await until('a provision runs', () => {
      const all = processesNaming(region.directory);
      return all.some(({ command }) => command.includes('acceptance-provision')) ? all : null;
    });
    expect(processes.some(({ command }) => command.includes('haproxy'))).toBe(true);
    for (const { pid, command } of processes) {
      expect(command).not.toContain(SECRET);
      const environment = textOf(`/proc/${pid}/environ`);
      // What was about to become the service when it was listed may be it by now, or be gone.
      if ([command, textOf(`/proc/${pid}/cmdline`)].some((text) => text.includes('www.mjs'))) continue;
      expect([command, environment]).toEqual([command, expect.not.stringContaining(SECRET)]);
    }
    const inputs = filesBelow(region.stateOf('staging')).filter((file) => file.endsWith('inputs.json'));
    expect(inputs.map(modeOf)).toEqual([0o600]);
    await region.untilAtRest();
    expect(inputs.filter((file) => existsSync(file))).toEqual([]);
  });

  test('keeps its state to its owner', async () => {
    expect(modeOf(region.dataDirectory)).toBe(0o700);
    const open = filesBelow(region.dataDirectory).filter((file) => (modeOf(file) & 0o077) !== 0);
    // An empty file that people lock by hand; behind the 0700 above.
    expect(open.filter((file) => path.basename(file) !== 'provision.lock')).toEqual([]);
    expect(modeOf(region.environmentFile('staging', 'app-www'))).toBe(0o640);
  });

  test('goes on when somebody registers what is made to break it', async () => {
    const register = (service: object): Promise<number> =>
      fetch(`${region.http}/v1/catalog/register`, {
        method: 'PUT',
        body: JSON.stringify({
          Node: 'external',
          Address: region.address('external'),
          Service: { Service: 'api', Port: 9, ...service },
        }),
      }).then((answer) => answer.status);
    expect(await register({ ID: 'L'.repeat(3_000) })).toBe(400);
    expect(await register({ ID: 'a\n  server evil 192.0.2.1:80' })).toBe(400);
    expect(await register({ ID: 'x', Address: '127.0.0.1:1\n  server evil 192.0.2.1:80' })).toBe(400);
    // Legal, and as long and as odd as it gets.
    expect(await register({ ID: `"'\\;#{}${'ü'.repeat(120)}` })).toBe(200);
    expect(await register({ ID: 'y', Address: '127.0.0.1:1 weight 1' })).toBe(200);
    await region.untilHealthy();
    const marker = path.join(region.directory, 'pwned');
    const script = { Args: ['/usr/bin/touch', marker], Interval: '1s' };
    for (const [url, body] of [
      ['v1/agent/check/register', { Name: 'x', ...script }],
      ['v1/agent/service/register', { Name: 'x', Check: script }],
    ] as const)
      expect((await fetch(`${region.http}/${url}`, { method: 'PUT', body: JSON.stringify(body) })).status).toBe(400);
    const definition = { id: 'evil', checks: [{ args: script.Args, interval: '1s' }] };
    await region.client.applyDefinitions([definition]);
    await region.put('/v1/agent/service/register', { Name: 'evil', Port: 1 });
    await region.arrived(await region.setDatabase(`${DATABASE}?x`));
    const { frontends } = (await region.client.request('/v2/balancer')).body as { frontends: { members: unknown[] }[] };
    expect(frontends[0]?.members).toHaveLength(3);
    const config = readFileSync(path.join(region.stateOf('staging'), 'balancer/haproxy.cfg'), 'utf8');
    expect(config).not.toContain('evil');
    expect(existsSync(marker)).toBe(false);
  });
});

describe('a single agent', () => {
  interface Ready {
    readonly http: string;
    readonly dnsPort: number;
    readonly child: ChildProcess;
  }

  function folder(): string {
    const made = mkdtempSync(path.join(tmpdir(), 'drover-security-'));
    left.defer(() => rmSync(made, { recursive: true, force: true }));
    return made;
  }

  async function startAgent(program: string, args: readonly string[], temporary = tmpdir()): Promise<Ready> {
    const ports = ['--http-port', '0', '--dns-port', '0', '--timing', 'local', '--node', 'n'];
    const child = spawn(program, [...args, ...ports], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, TMPDIR: temporary },
    });
    left.defer(async () => {
      child.kill('SIGKILL');
      await endOf(child);
    });
    let log = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (log += text));
    const line = await until('the agent is ready', () => {
      if (child.exitCode !== null) throw new Error(log);
      return log.split('\n').find((one) => one.includes('"msg":"ready"'));
    });
    const { http, dns } = JSON.parse(line) as { http: string; dns: string };
    return { http, dnsPort: Number(dns.split(':').at(-1)), child };
  }

  test('leaves a directory that was named to it alone when it ends, also with --dev, and leaves none of its own', async () => {
    const named = folder();
    const temporary = folder();
    writeFileSync(path.join(named, 'precious'), 'x');
    for (const args of [['--data-dir', named], []]) {
      const { child } = await startAgent(DROVER, ['agent', '--dev', ...args], temporary);
      child.kill('SIGTERM');
      await endOf(child);
    }
    expect(readFileSync(path.join(named, 'precious'), 'utf8')).toBe('x');
    expect(readdirSync(temporary)).toEqual([]);
  });

  test('refuses a directory that others have their files in, and leaves it as it is', async () => {
    const named = folder();
    execFileSync('chmod', ['755', named]);
    writeFileSync(path.join(named, 'theirs'), 'x');
    await expect(startAgent(DROVER, ['agent', '--server', '--data-dir', named])).rejects.toThrow(
      'AGENT_DATA_DIRECTORY',
    );
    expect(modeOf(named)).toBe(0o755);
  });

  test('answers DNS over TCP and writes its store while clients hold all the connections they can get', async () => {
    const shell = ['-c', 'ulimit -n 256; exec "$0" "$@"', DROVER, 'agent', '--server', '--data-dir', folder()];
    const { http, dnsPort } = await startAgent('/bin/sh', shell);
    const port = Number(new URL(http).port);
    const kept = await fetch(`${http}/v2/status`);
    expect(kept.status).toBe(200);
    const sockets = Array.from({ length: 400 }, () => net.connect(port, '127.0.0.1').on('error', () => undefined));
    left.defer(() => sockets.forEach((socket) => socket.destroy()));
    await until(
      'the agent took no more',
      () => sockets.filter((socket) => socket.destroyed || socket.closed).length > 150,
    );
    // consul.service.consul. A
    const name = Buffer.from('\u0006consul\u0007service\u0006consul\0', 'latin1');
    const query = Buffer.concat([Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]), name, Buffer.from([0, 1, 0, 1])]);
    const dns = net.connect(dnsPort, '127.0.0.1');
    left.defer(() => void dns.destroy());
    dns.write(Buffer.concat([Buffer.from([0, query.length]), query]));
    const [answer] = (await once(dns, 'data', { signal: AbortSignal.timeout(10_000) })) as [Buffer];
    expect(answer.readUInt16BE(2)).toBe(1);
    for (const socket of sockets) socket.destroy();
    const put = await until('HTTP answers again', () =>
      fetch(`${http}/v1/kv/x`, { method: 'PUT', body: 'y' }).catch(() => null),
    );
    expect(await put.text()).toBe('true');
  });
});
