import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type ProcessResult, type RunProcessOptions, identifyProcess, runProcess } from '../../src/lib/index.ts';

const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin' };
/** Pids that a script printed: what it left running must be gone, or is ended here. */
let strays: number[] = [];

afterEach(() => {
  for (const pid of strays) if (identifyProcess(pid) !== null) process.kill(pid, 'SIGKILL');
  strays = [];
});

const run = (options: Partial<RunProcessOptions>): Promise<ProcessResult> =>
  runProcess({ env, timeoutMs: 20_000, killAfterMs: 500, ...options });

function pidsIn(output: string): number[] {
  const pids = [...output.matchAll(/pid (\d+)/g)].map((match) => Number(match[1]));
  strays.push(...pids);
  return pids;
}

/** Killed processes need a moment to be gone. */
async function expectGone(pids: readonly number[]): Promise<void> {
  expect(pids.length).toBeGreaterThan(0);
  await vi.waitFor(() => expect(pids.filter((pid) => identifyProcess(pid) !== null)).toEqual([]), 5_000);
}

const openFiles = (): number => readdirSync('/proc/self/fd').length;

describe('runProcess() of a program that ends', () => {
  test.each<[Partial<RunProcessOptions>, Partial<ProcessResult>]>([
    [{ args: ['true'] }, { exitCode: 0, output: '' }],
    [{ args: ['sh', '-c', 'exit 3'] }, { exitCode: 3 }],
    [{ args: ['printf', '%s', '$HOME "a b"'] }, { exitCode: 0, output: '$HOME "a b"' }],
    [{ shell: 'kill -9 $$' }, { exitCode: null, signal: 'SIGKILL' }],
    [{ shell: 'cat' }, { exitCode: 0, output: '' }],
    [
      { shell: 'cat', input: 'given' },
      { exitCode: 0, output: 'given' },
    ],
    [{ shell: 'pwd', cwd: '/usr' }, { output: '/usr\n' }],
    [{ shell: 'printf "$A"', env: { ...env, A: "it's" } }, { output: "it's" }],
  ])('gives its end for %j', async (options, expected) => {
    expect(await run(options)).toMatchObject({ ending: 'exited', error: null, ...expected });
  });

  test.each([
    ['wc -c', 0, '1000000\n'],
    ['exit 4', 4, ''],
    ['head -c 3', 0, 'xxx'],
  ])('gives a megabyte to `%s`, which need not read it', async (shell, exitCode, output) => {
    expect(await run({ shell, input: Buffer.alloc(1_000_000, 'x') })).toMatchObject({ exitCode, output });
  });

  test('inherits nothing of the environment', async () => {
    const { output } = await run({ args: ['env'], env: { PATH: env.PATH, ONLY: 'this' } });
    expect(output.split('\n').filter((line) => !/^(PATH|_|PWD|SHLVL)=/.test(line) && line !== '')).toEqual([
      'ONLY=this',
    ]);
  });

  test('keeps the order of stdout and stderr, and lets scripts open them by name', async () => {
    const { output, exitCode } = await run({
      shell: 'for i in 1 2 3; do echo o$i; echo e$i >&2; done; echo n > /dev/stderr',
    });
    expect(output).toBe('o1\ne1\no2\ne2\no3\ne3\nn\n');
    expect(exitCode).toBe(0);
  });

  test('keeps the last bytes of a long output and counts all', async () => {
    const result = await run({ shell: 'head -c 3000000 /dev/zero | tr "\\0" x; printf end', outputLimit: 100 });
    expect(result.output).toBe(`${'x'.repeat(97)}end`);
    expect(result.outputBytes).toBe(3_000_003);
  });

  test('is its own session, out of reach of the terminal', async () => {
    const { output } = await run({ shell: 'cut -d" " -f1,5,6 /proc/$$/stat' });
    const [pid, group, session] = output.trim().split(' ');
    expect([group, session]).toEqual([pid, pid]);
    expect(Number(pid)).not.toBe(process.pid);
  });
});

describe('runProcess() where the platform differs', () => {
  test("takes Node's own stdio where no pipe can be made", async () => {
    const code = `
      const { runProcess } = await import(${JSON.stringify(path.resolve(import.meta.dirname, '../../src/lib/run-process.ts'))});
      const { openPipe } = await import(${JSON.stringify(path.resolve(import.meta.dirname, '../../src/lib/open-pipe.ts'))});
      const env = { PATH: process.env.PATH };
      const result = await runProcess({ shell: 'echo out; echo err >&2; exit 4', env, timeoutMs: 9000 });
      const missing = await runProcess({ args: ['/nonexistent'], env, timeoutMs: 9000 });
      console.log(JSON.stringify([openPipe(), result.exitCode, result.output.split('\\n').sort(), missing.error.code]));`;
    const args = [process.execPath, '--no-experimental-ffi', '--input-type=module', '-e', code];
    const { output } = await run({ args });
    expect(JSON.parse(output)).toEqual([null, 4, ['', 'err', 'out'], 'ENOENT']);
  });

  test.runIf(process.getuid?.() === 0)('runs as another user when told', async () => {
    const { output } = await run({ shell: 'id -u; id -g; id -G', uid: 65_534, gid: 65_534, cwd: '/' });
    expect(output).toBe('65534\n65534\n65534\n');
  });
});

describe('runProcess() of what cannot start', () => {
  test.each<[string, Partial<RunProcessOptions>, string]>([
    ['no such program', { args: ['/nonexistent/check'] }, 'ENOENT'],
    ['not executable', { args: ['/etc/passwd'] }, 'EACCES'],
    ['no such directory', { args: ['true'], cwd: '/nonexistent' }, 'ENOENT'],
    ['a NUL in an argument', { args: ['echo', 'a\0b'] }, 'ERR_INVALID_ARG_VALUE'],
    ['an argument that is too long', { args: ['echo', 'x'.repeat(3_000_000)] }, 'E2BIG'],
  ])('says so: %s', async (_what, options, code) => {
    const result = await run(options);
    expect(result).toMatchObject({ ending: 'not-started', exitCode: null, output: '' });
    expect(result.error?.code).toBe(code);
  });

  test('says so when there is nothing to run', async () => {
    expect((await run({})).error?.message).toBe('no program to run');
  });

  test('starts nothing when aborted before', async () => {
    expect(await run({ shell: 'exit 1', signal: AbortSignal.abort() })).toMatchObject({
      ending: 'aborted',
      exitCode: null,
    });
  });
});

describe('runProcess() within its limits', () => {
  test('ends a process that never ends, with its children', async () => {
    const result = await run({ shell: 'echo pid $$; sleep 1000 & echo pid $!; wait', timeoutMs: 300 });
    expect(result).toMatchObject({ ending: 'timeout', signal: 'SIGTERM' });
    expect(result.durationMs).toBeLessThan(5_000);
    await expectGone(pidsIn(result.output));
  });

  test('kills one that ignores TERM, and a child that does', async () => {
    const shell =
      'trap "" TERM; echo pid $$; sh -c "trap \'\' TERM; while :; do sleep 0.1; done" & echo pid $!; while :; do sleep 0.1; done';
    const result = await run({ shell, timeoutMs: 300 });
    expect(result).toMatchObject({ ending: 'timeout', signal: 'SIGKILL' });
    expect(pidsIn(result.output)).toHaveLength(2);
    await expectGone(strays);
  });

  test('ends one that is stopped', async () => {
    const result = await run({ shell: 'echo pid $$; kill -STOP $$; sleep 1000', timeoutMs: 300 });
    expect(result.ending).toBe('timeout');
    await expectGone(pidsIn(result.output));
  });

  test('lets a process end itself after TERM', async () => {
    const result = await run({ shell: 'trap "echo bye; exit 7" TERM; while :; do sleep 0.05; done', timeoutMs: 300 });
    expect(result).toMatchObject({ ending: 'timeout', exitCode: 7 });
    expect(result.output).toContain('bye\n');
  });

  test('drains a flood without taking the processor', async () => {
    const before = process.cpuUsage();
    const result = await run({ args: ['yes', 'a flood of output'], timeoutMs: 1_000 });
    const used = process.cpuUsage(before);
    expect(result.ending).toBe('timeout');
    expect(result.outputBytes).toBeGreaterThan(1_000_000);
    expect(Buffer.byteLength(result.output)).toBeLessThanOrEqual(4_096);
    expect((used.user + used.system) / 1_000).toBeLessThan(500);
  });

  test('does not wait for a daemon that holds the output, and kills a child that stayed in the group', async () => {
    const shell = 'setsid sh -c "echo pid \\$\\$; exec sleep 60" & sleep 1000 & echo pid $!; sleep 0.3; echo done';
    const result = await run({ shell });
    expect(result).toMatchObject({ ending: 'exited', exitCode: 0 });
    expect(result.durationMs).toBeLessThan(10_000);
    expect(result.output).toContain('done');
    const [daemon, child] = pidsIn(result.output).toSorted((a, b) => Number(isLeader(b)) - Number(isLeader(a)));
    // A daemon with a session of its own was meant to stay.
    expect(identifyProcess(daemon as number)).not.toBeNull();
    await expectGone([child as number]);
  });

  test('leaves children running when told', async () => {
    const result = await run({ shell: 'sleep 1000 > /dev/null 2>&1 & echo pid $!', leaveChildren: true });
    for (const pid of pidsIn(result.output)) expect(identifyProcess(pid)).not.toBeNull();
  });

  test('ends the process when aborted', async () => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 200);
    const result = await run({ shell: 'echo pid $$; exec sleep 1000', signal: abort.signal });
    expect(result).toMatchObject({ ending: 'aborted', signal: 'SIGTERM' });
    await result.gone;
    await expectGone(pidsIn(result.output));
  });

  test('leaves no file open and no zombie', async () => {
    await run({ args: ['true'] });
    const before = openFiles();
    for (let i = 0; i < 10; i++) {
      await Promise.all([
        run({ shell: 'echo x' }),
        run({ args: ['/nonexistent'] }),
        run({ args: ['sleep', '9'], timeoutMs: 20 }),
      ]);
    }
    expect(openFiles()).toBeLessThanOrEqual(before);
    expect(zombies()).toEqual([]);
  });
});

function isLeader(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3]) === pid;
  } catch {
    return false;
  }
}

/** Dead children that this process has not taken. */
function zombies(): string[] {
  const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return children.filter((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return state === 'Z' && Number(parent) === process.pid;
    } catch {
      return false;
    }
  });
}
