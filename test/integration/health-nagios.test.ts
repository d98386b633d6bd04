import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { checkRecordOf, HealthChecks } from '../../src/health/index.ts';
import { systemClock, TIMING } from '../../src/lib/index.ts';
import type { CheckRecord } from '../../src/registry/index.ts';
import { findComponent, requireComponent } from '../require-component.ts';

const PLUGINS = '/usr/lib/nagios/plugins';
const plugin = (name: string): string => `${PLUGINS}/${name}`;

let closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closing.map((close) => close()));
  closing = [];
});

async function result(args: readonly string[], timeoutMs = 20_000): Promise<CheckRecord> {
  const checks = await HealthChecks.start({
    clock: systemClock,
    random: Math.random,
    timing: TIMING.local,
    scripts: 'allowed',
    environment: process.env,
    onTransition: () => undefined,
  });
  closing.push(async () => checks[Symbol.asyncDispose]());
  const definition = { args, timeoutMs };
  checks.add({ ...checkRecordOf(definition, { serviceId: 'web' }), definition });
  return vi.waitFor(
    () => {
      const record = checks.record('service:web') as CheckRecord;
      expect(record.status).not.toBe('unknown');
      return record;
    },
    { timeout: 30_000, interval: 20 },
  );
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => new Promise((resolve) => server.close(resolve)));
  return String((server.address() as AddressInfo).port);
}

const web = (status: number): Promise<string> =>
  listen(
    createHttpServer((_request, response) => response.writeHead(status, { connection: 'close' }).end('hello, nagios')),
  );

async function closedPort(): Promise<string> {
  const server = createServer();
  const port = await listen(server);
  await closing.pop()?.();
  return port;
}

const isInstalled = findComponent(plugin('check_tcp')) !== null;
const nagios = requireComponent(plugin('check_tcp'), isInstalled ? undefined : 'monitoring-plugins-basic');

nagios('plugins of Nagios, unchanged', () => {
  test('check_tcp on an open port passes, with its perfdata', async () => {
    const port = await listen(createServer((socket) => socket.end()));
    const { status, output } = await result([plugin('check_tcp'), '-H', '127.0.0.1', '-p', port]);
    expect(status).toBe('passing');
    expect(output).toMatch(/^TCP OK - [\d.]+ second response time on 127\.0\.0\.1 port \d+\s?\|time=[\d.]+s/);
  });

  test('check_tcp on a closed port is critical', async () => {
    const { status, output } = await result([plugin('check_tcp'), '-H', '127.0.0.1', '-p', await closedPort()]);
    expect(status).toBe('critical');
    expect(output).toContain('Connection refused');
  });

  test.each([
    [200, [], 'passing', /^HTTP OK: HTTP\/1\.1 200 OK - \d+ bytes in [\d.]+ second response time \|time=.*size=/],
    [404, [], 'warning', /^HTTP WARNING: HTTP\/1\.1 404 Not Found/],
    [500, [], 'critical', /^HTTP CRITICAL: HTTP\/1\.1 500/],
    [200, ['-s', 'nagios'], 'passing', /^HTTP OK/],
    [200, ['-s', 'missing'], 'critical', /string 'missing' not found/],
  ])('check_http of status %i with %j is %s', async (code, more, wanted, text) => {
    const port = await web(code);
    const { status, output } = await result([plugin('check_http'), '-I', '127.0.0.1', '-p', port, ...more]);
    expect(status).toBe(wanted);
    expect(output).toMatch(text);
  });

  test('check_load passes, with its perfdata', async () => {
    const limits = '100000,100000,100000';
    const { status, output } = await result([plugin('check_load'), '-w', limits, '-c', limits]);
    expect(status).toBe('passing');
    expect(output).toMatch(/^(LOAD )?OK - .*load average: .*\|\s?load1=/);
  });

  test.each([
    ['100000', '100000', 'passing', /^PROCS OK: \d+ process/],
    ['0', '100000', 'warning', /^PROCS WARNING: \d+ process/],
    ['0', '0', 'critical', /^PROCS CRITICAL: \d+ process/],
  ])('check_procs with -w %s -c %s is %s', async (warning, critical, wanted, text) => {
    const { status, output } = await result([plugin('check_procs'), '-w', warning, '-c', critical]);
    expect(status).toBe(wanted);
    expect(output).toMatch(text);
  });

  test.each([
    ['0', 'passing'],
    ['1', 'warning'],
    ['2', 'critical'],
    ['3', 'critical'],
  ])('check_dummy with exit status %s is %s, with the first line of what it says', async (code, wanted) => {
    const { status, output } = await result([plugin('check_dummy'), code, 'so it is | used=5%;80;90']);
    expect(status).toBe(wanted);
    expect(output).toMatch(/^(OK|WARNING|CRITICAL|UNKNOWN): so it is \| used=5%;80;90\n$/);
  });

  test('a plugin that is called wrongly says UNKNOWN, which is critical', async () => {
    const { status, output } = await result([plugin('check_tcp'), '--no-such-option']);
    expect(status).toBe('critical');
    expect(output).toMatch(/check_tcp|unrecognized option/);
  });
});
