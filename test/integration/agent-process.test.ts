import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const DROVER = path.resolve(import.meta.dirname, '../../bin/drover');
/** A busy machine with two cores keeps these. */
const START_MS = 30_000;
const STOP_MS = 10_000;

let folder: string;
const started = new Set<ChildProcess>();

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'drover-agent-'));
});

afterEach(async () => {
  for (const child of started) child.kill('SIGKILL');
  started.clear();
  await rm(folder, { recursive: true, force: true });
});

interface Line {
  readonly msg: string;
  readonly http?: string;
}

/** A real agent process, its log line by line. */
class AgentProcess {
  readonly child: ChildProcess;
  readonly lines: Line[] = [];
  readonly exited: Promise<{ code: number | null; signal: string | null }>;
  text = '';
  #waiting: (() => void)[] = [];

  constructor(...flags: string[]) {
    const all = ['agent', '--server', '--timing', 'local', '--dns-port', '0', '--http-port', '0', ...flags];
    this.child = spawn(DROVER, all, { stdio: ['ignore', 'ignore', 'pipe'] });
    started.add(this.child);
    this.exited = new Promise((resolve) =>
      this.child.once('close', (code, signal) => {
        resolve({ code, signal });
        this.#wake();
      }),
    );
    this.child.stderr?.on('data', (chunk: Buffer) => this.#read(String(chunk)));
  }

  /** Resolves with the first line of that message, from `after` on. */
  async line(message: string, after = 0): Promise<Line> {
    const deadline = Date.now() + START_MS;
    for (;;) {
      const found = this.lines.slice(after).find((line) => line.msg.includes(message));
      if (found !== undefined) return found;
      if (this.child.exitCode !== null || Date.now() > deadline) throw new Error(`no "${message}" in: ${this.text}`);
      const timer = setTimeout(() => this.#wake(), 500);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
      clearTimeout(timer);
    }
  }

  async ready(): Promise<string> {
    const { http } = await this.line('ready');
    return http as string;
  }

  /** Sends a signal and says how and how fast the process ended. */
  async end(signal: NodeJS.Signals): Promise<{ code: number | null; signal: string | null; tookMs: number }> {
    const begin = performance.now();
    this.child.kill(signal);
    return { ...(await this.exited), tookMs: performance.now() - begin };
  }

  #read(text: string): void {
    this.text += text;
    const rows = this.text.split('\n').slice(0, -1);
    const parsed = rows.filter((row) => row.startsWith('{')).map((row) => JSON.parse(row) as Line);
    this.lines.splice(0, this.lines.length, ...parsed);
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

const get = async (url: string): Promise<unknown> => (await fetch(url)).json();

/** Whether a process has a handler for SIGHUP, the first bit of those it catches. */
function catchesHangup(pid: number): boolean {
  const [, caught = '0'] = /^SigCgt:\s*([\da-f]+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return (BigInt(`0x${caught}`) & 1n) === 1n;
}

async function put(url: string, body?: unknown): Promise<Response> {
  return fetch(url, { method: 'PUT', ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
}

/** Writes a configuration file and returns the flags of an agent that uses it. */
async function configured(config: object): Promise<string[]> {
  const file = path.join(folder, 'agent.json');
  await writeFile(file, JSON.stringify(config));
  await chmod(file, 0o644);
  return ['--config-file', file, '--data-dir', path.join(folder, 'data')];
}

const WEB = { name: 'web', port: 80, check: { ttl: '1h', status: 'passing' } };

describe('drover agent', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    'drover agent says that it is ready, and ends at %s with status 0',
    async (signal) => {
      const agent = new AgentProcess(...(await configured({ node_name: 'n1', services: [WEB] })));
      const http = await agent.ready();
      expect(Object.keys((await get(`${http}/v1/agent/services`)) as object)).toEqual(['web']);
      const { code, tookMs } = await agent.end(signal);
      expect(code).toBe(0);
      expect(tookMs).toBeLessThan(STOP_MS);
      expect(agent.text).not.toMatch(/suspect|"level":50/);
    },
  );

  test('drover agent reads its configuration again at SIGHUP, and survives a broken one', async () => {
    const agent = new AgentProcess(...(await configured({ node_name: 'n1', services: [WEB] })));
    const http = await agent.ready();
    await configured({ node_name: 'n1', services: [{ ...WEB, port: 81 }, { name: 'api' }] });
    agent.child.kill('SIGHUP');
    await agent.line('was read again');
    expect(await get(`${http}/v1/agent/services`)).toMatchObject({ web: { Port: 81 }, api: {} });
    const seen = agent.lines.length;
    await writeFile(path.join(folder, 'agent.json'), '{ "servises": [] }');
    agent.child.kill('SIGHUP');
    await agent.line('unknown key "servises"', seen);
    expect(await get(`${http}/v1/agent/services`)).toMatchObject({ web: { Port: 81 }, api: {} });
    expect((await agent.end('SIGTERM')).code).toBe(0);
  });

  test('drover agent outlives a SIGHUP while it is still being loaded', async () => {
    const agent = new AgentProcess(...(await configured({ node_name: 'n1' })));
    // Node itself takes a moment until a program can have a handler; the agent takes much longer than that.
    while (!catchesHangup(agent.child.pid ?? 0)) await new Promise((resolve) => setTimeout(resolve, 5));
    for (let sent = 0; sent < 5; sent++) {
      agent.child.kill('SIGHUP');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await agent.ready();
    expect((await agent.end('SIGTERM')).code).toBe(0);
  });

  test('drover agent has everything again after kill -9 on the same directory', async () => {
    const flags = await configured({ node_name: 'n1' });
    const first = new AgentProcess(...flags);
    const before = await first.ready();
    await put(`${before}/v1/agent/service/register`, { Name: 'web', Port: 80, Check: { TTL: '1h' } });
    await put(`${before}/v1/agent/check/pass/service:web`);
    await put(`${before}/v1/kv/a`, 'b');
    const index = (await fetch(`${before}/v1/health/service/web`)).headers.get('x-consul-index');
    await first.end('SIGKILL');
    const second = new AgentProcess(...flags);
    const http = await second.ready();
    expect(await get(`${http}/v1/agent/services`)).toMatchObject({ web: { Port: 80 } });
    const health = await fetch(`${http}/v1/health/service/web?passing`);
    expect(await health.json()).toHaveLength(1);
    expect(Number(health.headers.get('x-consul-index'))).toBeGreaterThanOrEqual(Number(index));
    expect(await get(`${http}/v1/kv/a?raw`)).toBe('b');
    expect((await second.end('SIGTERM')).code).toBe(0);
  });

  test('drover agent refuses the directory of another, naming its process', async () => {
    const flags = await configured({ node_name: 'n1' });
    const first = new AgentProcess(...flags);
    const http = await first.ready();
    const second = new AgentProcess(...flags);
    expect((await second.exited).code).toBe(6);
    expect(second.text).toContain('error STORE_IN_USE: the data directory');
    expect(second.text).toContain(`process ${first.child.pid}`);
    expect(second.text).toContain('hint: ');
    expect(Array.isArray(await get(`${http}/v1/catalog/nodes`))).toBe(true);
    expect((await first.end('SIGINT')).code).toBe(0);
  });

  test('drover agent says who has its port, and leaves nothing behind', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const flags = await configured({ node_name: 'n1' });
    const { port } = server.address() as { port: number };
    const refused = new AgentProcess(...flags, '--http-port', String(port));
    expect((await refused.exited).code).not.toBe(0);
    expect(refused.text).toMatch(new RegExp(`error API_PORT_TAKEN: .*${port}.*pid ${process.pid}`));
    server.close();
    const agent = new AgentProcess(...flags);
    await agent.ready();
    expect((await agent.end('SIGTERM')).code).toBe(0);
  });

  test('drover agent says what is wrong with its directory or configuration, with status 2', async () => {
    await writeFile(path.join(folder, 'file'), '');
    const inFile = new AgentProcess('--node', 'n1', '--data-dir', path.join(folder, 'file'));
    expect((await inFile.exited).code).toBe(2);
    expect(inFile.text).toContain('error AGENT_DATA_DIRECTORY: cannot use the data directory');
    // Nobody can write there, not even root.
    const readOnly = new AgentProcess('--node', 'n1', '--data-dir', '/proc/drover');
    expect((await readOnly.exited).code).toBe(2);
    expect(readOnly.text).toContain('error AGENT_DATA_DIRECTORY: cannot use the data directory /proc/drover');
    const broken = new AgentProcess(...(await configured({ node_name: 'n1', service: { ...WEB, prot: 1 } })));
    expect((await broken.exited).code).toBe(2);
    expect(broken.text).toMatch(/error DEFINITION_UNKNOWN_KEY: .*agent\.json:1:\d+: .*did you mean "port"\?/);
    expect(broken.text).toContain('^');
  });

  test('drover agent leaves when it is told to, and ends', async () => {
    const flags = await configured({ nodes: [{ name: 'n1' }, { name: 'n2' }] });
    const agent = new AgentProcess(...flags);
    const http = await agent.ready();
    expect((await put(`${http}/v1/agent/leave`)).status).toBe(200);
    expect((await agent.exited).code).toBe(0);
    expect(await readFile(path.join(folder, 'data/nodes/n1/link.json'), 'utf8')).toContain('"epoch"');
  });
});
