import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chmod } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EventAgent } from './event-agent.ts';

let agent: EventAgent;
beforeEach(async () => {
  agent = await EventAgent.make();
});
afterEach(() => agent[Symbol.asyncDispose]());

const payload = (value: unknown): string =>
  Buffer.from(String((value as { Payload: string }).Payload), 'base64').toString();

describe('handlers of watches', () => {
  test('each type gets the JSON that Consul gives it, on stdin, with the index beside it', async () => {
    const types = [
      { type: 'key', key: 'a/b' },
      { type: 'keyprefix', prefix: 'a/' },
      { type: 'services' },
      { type: 'nodes' },
      { type: 'service', service: 'web', passingonly: true },
      { type: 'checks', service: 'web' },
      { type: 'checks', state: 'critical' },
    ];
    const watches = types.map((one, n) => ({ ...one, ...agent.handler(`out${n}`) }));
    await agent.start({ node_name: 'n1', watches });
    for (let n = 0; n < types.length; n++) await agent.ran(`out${n}`, 1);
    await agent.put('kv/a/b', 'v');
    await agent.put('agent/service/register', { Name: 'web', Port: 80, Check: { TTL: '1h', Status: 'passing' } });
    const last = async (n: number): Promise<unknown> => (await agent.ran(`out${n}`, 2)).at(-1)?.input;
    expect((await agent.runs('out0'))[0]).toMatchObject({ input: null, watch: 'key a/b' });
    expect(await last(0)).toMatchObject({ Key: 'a/b', Value: 'dg==', Flags: 0 });
    expect(await last(1)).toMatchObject([{ Key: 'a/b', Value: 'dg==' }]);
    expect(await last(2)).toEqual({ consul: [], web: [] });
    expect((await agent.ran('out3', 1))[0]?.input).toMatchObject([{ Node: 'n1', Address: '127.0.0.1' }]);
    expect(await last(4)).toMatchObject([{ Node: { Node: 'n1' }, Service: { ID: 'web', Port: 80 } }]);
    expect(await last(5)).toMatchObject([{ CheckID: 'service:web', Status: 'passing' }]);
    const [none] = await agent.runs('out6');
    expect(none?.input).toEqual([]);
    const { headers } = await fetch(`${agent.address}/v1/kv/a/b`);
    expect((await agent.runs('out0')).at(-1)?.index).toBe(headers.get('x-consul-index'));
  });

  test('handlers run only when their input changed, also across restarts and reloads', async () => {
    const config = {
      node_name: 'n1',
      watches: [
        { type: 'key', key: 'k', ...agent.handler('key') },
        { type: 'keyprefix', prefix: 'p/', ...agent.handler('prefix') },
        { type: 'services', ...agent.handler('services') },
        { type: 'service', service: 'ext', ...agent.handler('ext') },
      ],
    };
    const external = (port: number) => ({ Node: 'far', Address: '10.0.0.9', Service: { Service: 'ext', Port: port } });
    await agent.start(config);
    await agent.put('kv/k', 'one');
    await agent.put('catalog/register', external(1));
    await agent.ran('ext', 2);
    await agent.ran('key', 2);
    await agent.ran('services', 2);
    // The same again, and what is somebody else's.
    await agent.put('kv/k', 'one');
    await agent.put('kv/other', 'x');
    await agent.put('catalog/register', external(1));
    await agent.reload(config);
    await agent.stop();
    await agent.start(config);
    await agent.reload({ ...config, watches: [...config.watches, { type: 'nodes', ...agent.handler('nodes') }] });
    await agent.ran('nodes', 1);
    expect((await agent.ran('key', 2)).map(({ input }) => (input as { Value?: string } | null)?.Value)).toEqual([
      undefined,
      'b25l',
    ]);
    await agent.ran('prefix', 1);
    await agent.ran('services', 2);
    await agent.ran('ext', 2);
    // What changed while the agent was down is taken up after it, once, as it is then.
    await agent.put('kv/k', 'two');
    await agent.ran('key', 3);
    await agent.stop();
    await agent.start({ node_name: 'n1' });
    await agent.put('kv/k', 'three');
    await agent.put('kv/k', 'four');
    await agent.stop();
    await agent.start(config);
    await agent.ran('ext', 3);
  });

  test('a handler sees the last state of many changes, and never two at once', async () => {
    await agent.writeFile(
      'slow.sh',
      `#!/bin/sh\nmkdir "$1.lock" || echo overlap >> "$1"\ncat >> "$1"\nsleep 0.05\nrmdir "$1.lock"\n`,
      0o755,
    );
    await agent.start({
      node_name: 'n1',
      watches: [{ type: 'key', key: 'k', handler: `${agent.at('slow.sh')} ${agent.at('slow')}` }],
    });
    for (let n = 0; n < 40; n++) await agent.put('kv/k', `v${n}`);
    for (let n = 0; n < 300; n++) {
      const { stdout } = await lastLine();
      if (stdout.includes(Buffer.from('v39').toString('base64'))) break;
      await sleep(20);
    }
    const { stdout, count } = await lastLine();
    expect(stdout).toContain(Buffer.from('v39').toString('base64'));
    expect(count).toBeLessThan(41);
    expect(stdout).not.toContain('overlap');

    async function lastLine(): Promise<{ stdout: string; count: number }> {
      const { readFile } = await import('node:fs/promises');
      const text = await readFile(agent.at('slow'), 'utf8').catch(() => '');
      const rows = text.split('\n').slice(0, -1);
      return { stdout: rows.at(-1) ?? '', count: rows.length };
    }
  });

  test('a handler that fails is tried again with the newest state, and logged', async () => {
    await agent.writeFile('flaky.sh', `#!/bin/sh\n[ -e "$2" ] || { echo broken; exit 3; }\ncat >> "$1"\n`, 0o755);
    const args = [agent.at('flaky.sh'), agent.at('out'), agent.at('mended')];
    await agent.start({ node_name: 'n1', watches: [{ type: 'key', key: 'k', args }] });
    await agent.put('kv/k', 'v');
    await sleep(300);
    expect(agent.lines.find((line) => line.startsWith('warn: a handler failed'))).toMatch(/"ending":"exit 3".*broken/);
    await agent.writeFile('mended', '');
    for (let n = 0; n < 500 && (await count()) === 0; n++) await sleep(20);
    await sleep(300);
    expect(await count()).toBe(1);

    async function count(): Promise<number> {
      const { readFile } = await import('node:fs/promises');
      return (await readFile(agent.at('out'), 'utf8').catch(() => '')).split('\n').length - 1;
    }
  });

  test('an event reaches its handler once; what was fired while the agent was down comes after it, in order', async () => {
    const config = {
      node_name: 'n1',
      watches: [
        { type: 'event', name: 'deploy', ...agent.handler('deploy') },
        { type: 'event', ...agent.handler('all') },
      ],
    };
    await agent.start({ node_name: 'n1' });
    await agent.put('event/fire/deploy', 'before there was a watch');
    await agent.stop();
    await agent.start(config);
    await agent.put('event/fire/deploy', 'one');
    await agent.put('event/fire/other', 'x');
    await agent.put('event/fire/deploy?node=elsewhere', 'not here');
    await agent.ran('deploy', 1);
    await agent.stop();
    await agent.start({ node_name: 'n1', watches: [{ type: 'nodes', ...agent.handler('nodes') }, ...config.watches] });
    await agent.put('event/fire/deploy', 'two');
    await sleep(300);
    await agent.stop();
    await agent.start(config);
    await sleep(300);
    const given = async (name: string): Promise<string[]> =>
      (await agent.runs(name)).flatMap(({ input }) => input as unknown[]).map(payload);
    expect(await given('deploy')).toEqual(['one', 'two']);
    expect(await given('all')).toEqual(['one', 'x', 'two']);
  });

  test('an HTTP handler is sent the JSON, its headers and the index; what is no 2xx is tried again', async () => {
    const got: { method: string; headers: IncomingHttpHeaders; body: string }[] = [];
    const sink = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        got.push({ method: request.method ?? '', headers: request.headers, body: Buffer.concat(chunks).toString() });
        response.statusCode = got.length === 1 ? 503 : 204;
        response.end();
      });
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => sink.once('listening', resolve));
    const { port } = sink.address() as AddressInfo;
    const http = {
      path: `http://127.0.0.1:${port}/hook`,
      method: 'PUT',
      header: { 'X-Team': ['a', 'b'] },
      timeout: '2s',
    };
    try {
      await agent.start({
        node_name: 'n1',
        watches: [{ type: 'key', key: 'k', handler_type: 'http', http_handler_config: http }],
      });
      for (let n = 0; n < 500 && got.length < 2; n++) await sleep(10);
      expect(got.map(({ method, body }) => [method, body])).toEqual([
        ['PUT', 'null\n'],
        ['PUT', 'null\n'],
      ]);
      expect(got[0]?.headers).toMatchObject({ 'content-type': 'application/json', 'x-team': 'a, b' });
      expect(got[0]?.headers['x-consul-index']).toMatch(/^\d+$/);
    } finally {
      sink.closeAllConnections();
      sink.close();
    }
  });

  test('a file that others can write names no handler; without HTTP there are no watches', async () => {
    const watches = [{ type: 'nodes', ...agent.handler('out') }];
    await agent.start({ node_name: 'n1' });
    await agent.stop();
    await expect(agent.start({ node_name: 'n1', watches, ports: { http: -1 } })).resolves.toBeUndefined();
    await agent.stop();
    const { loadConfig } = await import('../../src/agent/index.ts');
    await expect(loadConfig({ configFile: [agent.at('agent.json')] })).rejects.toMatchObject({
      code: 'CONFIG_CONFLICT',
      message: expect.stringContaining('HTTP is off') as string,
    });
    await chmod(agent.at('agent.json'), 0o666);
    await expect(loadConfig({ configFile: [agent.at('agent.json')], httpPort: 0 })).rejects.toMatchObject({
      code: 'CONFIG_UNTRUSTED',
      message: expect.stringContaining('the handler of a watch') as string,
    });
  });
});
