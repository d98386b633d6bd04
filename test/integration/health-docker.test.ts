import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { CheckDefinition } from '../../src/definition/index.ts';
import { checkRecordOf, HealthChecks } from '../../src/health/index.ts';
import { systemClock, TIMING } from '../../src/lib/index.ts';
import type { CheckRecord } from '../../src/registry/index.ts';
import { type DockerEngine, requireDocker, startDockerEngine } from './docker-engine.ts';

requireDocker()('checks in a container', () => {
  let engine: DockerEngine;
  let checks: HealthChecks;
  beforeAll(async () => {
    engine = await startDockerEngine();
  });
  afterAll(() => engine?.[Symbol.asyncDispose]());
  afterEach(() => checks?.[Symbol.asyncDispose]());

  async function start(definition: CheckDefinition, host = engine.host): Promise<void> {
    checks = await HealthChecks.start({
      clock: systemClock,
      random: Math.random,
      timing: TIMING.local,
      scripts: 'allowed',
      environment: { DOCKER_HOST: host },
      onTransition: () => undefined,
    });
    checks.add({ ...checkRecordOf(definition, { serviceId: 'web' }), definition });
  }

  const becomes = (status: string): Promise<CheckRecord> =>
    vi.waitFor(
      () => {
        const record = checks.record('service:web') as CheckRecord;
        expect(record.status).toBe(status);
        return record;
      },
      { timeout: 20_000, interval: 20 },
    );

  const exec = async (container: string, script: string): Promise<void> => {
    const body = { Cmd: ['/bin/sh', '-c', script] };
    const { Id } = (await engine.docker.json({ method: 'POST', path: `/containers/${container}/exec`, body })) as {
      Id: string;
    };
    await engine.docker.json({ method: 'POST', path: `/exec/${Id}/start`, body: { Detach: true } });
  };

  test('pass, warn and fail as what they run ends, and with the container', async () => {
    const container = await engine.startContainer('follows');
    const script = 'test -e /tmp-fail && exit 2; test -e /tmp-warn && { echo slow >&2; exit 1; }; echo fine';
    await start({ dockerContainerId: container, script, intervalMs: 1_000 });
    expect((await becomes('passing')).output).toBe('fine\n');
    await exec(container, 'touch /tmp-warn');
    expect((await becomes('warning')).output).toBe('slow\n');
    await exec(container, 'touch /tmp-fail');
    await becomes('critical');
    await exec(container, 'rm /tmp-fail /tmp-warn');
    await becomes('passing');
    await engine.removeContainer(container);
    expect((await becomes('critical')).output).toMatch(/^Docker answers 404: No such container: follows/);
  });

  test.each([
    [['/bin/echo', 'a', 'b c'], 'passing', /^a b c\n$/],
    [['/bin/sh', '-c', 'exit 3'], 'critical', /^$/],
    [['/none'], 'critical', /no such file/],
    [['/bin/sh', '-c', 'yes 0123456789 | head -n 100000'], 'passing', /^Captured 4096 of 1100000 bytes\n\.\.\.\n/],
  ])('%j is %s', async (args, status, output) => {
    const container = await engine.startContainer(`runs-${Math.random().toString(36).slice(2)}`);
    await start({ dockerContainerId: container, args, intervalMs: 1_000 });
    const record = await becomes(status);
    expect(record.output).toMatch(output);
    expect(Buffer.byteLength(record.output)).toBeLessThanOrEqual(4_096);
  });

  test('one that never ends is critical in time, and not started again beside itself', async () => {
    const container = await engine.startContainer('hangs');
    await start({ dockerContainerId: container, args: ['/bin/sleep', '777'], timeoutMs: 300, intervalMs: 1_000 });
    expect((await becomes('critical')).output).toBe('Timed out (300ms) running check');
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    const { Processes } = (await engine.docker.json({ path: `/containers/${container}/top` })) as {
      Processes: string[][];
    };
    expect(Processes.filter((columns) => columns.at(-1)?.endsWith('sleep 777'))).toHaveLength(1);
  });

  test('an engine that is not there is critical, and says which', async () => {
    await start({ dockerContainerId: 'web', args: ['/bin/true'], intervalMs: 1_000 }, 'unix:///nowhere/docker.sock');
    expect((await becomes('critical')).output).toContain('/nowhere/docker.sock');
  });
});
