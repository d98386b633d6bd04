import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createWriteStream, existsSync, mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import { copyFile, mkdir, rm, symlink } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, vi } from 'vitest';
import { DockerClient } from '../../src/lib/index.ts';
import { findComponent, requireComponent } from '../require-component.ts';

const run = promisify(execFile);
const IMAGE = 'drover-busybox';

/** `describe` for tests with an engine of their own: skipped, with the reason, without root, dockerd or busybox. */
export function requireDocker(): typeof describe | typeof describe.skip {
  const isInstalled = findComponent('dockerd') !== null && findComponent('/bin/busybox') !== null;
  const chosen = requireComponent('dockerd', isInstalled ? undefined : 'docker.io busybox-static');
  if (process.getuid?.() === 0) return chosen;
  console.warn('skipped: dockerd needs root');
  return describe.skip;
}

/** A real Docker engine of this test alone, with one image, `busybox`; nothing of it is left when it is disposed. */
export interface DockerEngine extends AsyncDisposable {
  /** As DOCKER_HOST has it. */
  readonly host: string;
  readonly docker: DockerClient;
  /** Starts a container that does nothing; gives its name. */
  startContainer(name: string): Promise<string>;
  removeContainer(name: string): Promise<void>;
}

/** Starts dockerd in a folder of its own; needs root, docker.io and busybox-static. */
export async function startDockerEngine(): Promise<DockerEngine> {
  const directory = mkdtempSync(path.join(tmpdir(), 'drover-dockerd-'));
  const socketPath = path.join(directory, 'docker.sock');
  const daemon = startDaemon(directory, socketPath);
  try {
    const docker = new DockerClient({ socketPath });
    await vi.waitFor(() => docker.json({ path: '/version' }), { timeout: 30_000, interval: 50 });
    await importImage(directory, socketPath);
    return engineOf({ docker, directory, socketPath, daemon });
  } catch (error) {
    await stopDaemon(directory, daemon);
    throw error;
  }
}

function engineOf(parts: {
  readonly docker: DockerClient;
  readonly directory: string;
  readonly socketPath: string;
  readonly daemon: ChildProcess;
}): DockerEngine {
  const { docker, directory, socketPath, daemon } = parts;
  const started = new Map<string, number>();
  const removeContainer = async (name: string): Promise<void> => {
    started.delete(name);
    await docker.json({ method: 'DELETE', path: `/containers/${name}?force=true` });
  };
  return {
    docker,
    host: `unix://${socketPath}`,
    removeContainer,
    async startContainer(name) {
      const HostConfig = { NetworkMode: 'host' };
      const body = { Image: IMAGE, Cmd: ['/bin/sleep', '1000'], HostConfig, StopSignal: 'SIGKILL' };
      await docker.json({ method: 'POST', path: `/containers/create?name=${name}`, body });
      started.set(name, 0);
      await docker.json({ method: 'POST', path: `/containers/${name}/start` });
      const { State } = (await docker.json({ path: `/containers/${name}/json` })) as { State: { Pid: number } };
      started.set(name, State.Pid);
      return name;
    },
    async [Symbol.asyncDispose]() {
      const pids = [...started.values()];
      try {
        for (const name of started.keys()) await removeContainer(name);
      } finally {
        await stopDaemon(directory, daemon);
        killContainers(pids);
      }
    },
  };
}

function startDaemon(directory: string, socketPath: string): ChildProcess {
  const at = (name: string): string => path.join(directory, name);
  const places = ['--data-root', at('data'), '--exec-root', at('exec'), '--pidfile', at('pid')];
  const network = ['--iptables=false', '--ip6tables=false', '--bridge=none'];
  const args = [...places, ...network, '-H', `unix://${socketPath}`, '--storage-driver', 'overlay2'];
  const daemon = spawn('dockerd', args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/bin:/sbin:/bin` },
  });
  const log = createWriteStream(at('log'));
  daemon.stdout.pipe(log, { end: false });
  daemon.stderr.pipe(log, { end: false });
  daemon.on('error', () => undefined);
  return daemon;
}

/** An image from a folder with busybox alone: no registry is asked. */
async function importImage(directory: string, socketPath: string): Promise<void> {
  const bin = path.join(directory, 'root', 'bin');
  await mkdir(bin, { recursive: true });
  await copyFile('/bin/busybox', path.join(bin, 'busybox'));
  for (const name of ['sh', 'sleep', 'test', 'cat', 'echo', 'touch', 'rm', 'yes', 'ps', 'true'])
    await symlink('busybox', path.join(bin, name));
  const { stdout } = await run('tar', ['-C', path.join(directory, 'root'), '-c', '.'], {
    encoding: 'buffer',
    maxBuffer: 32 * 1_024 * 1_024,
  });
  const status = await new Promise<number>((resolve, reject) => {
    const options = {
      socketPath,
      method: 'POST',
      path: `/images/create?fromSrc=-&repo=${IMAGE}`,
      agent: false as const,
    };
    const sending = request({ ...options, headers: { 'content-type': 'application/x-tar' } }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode ?? 0));
    });
    sending.on('error', reject).end(stdout);
  });
  if (status !== 200) throw new Error(`the image was not imported: ${status}`);
}

/** Ends the engine and whatever of it is left: containerd, its shims, mounts and files. */
async function stopDaemon(directory: string, daemon: ChildProcess): Promise<void> {
  daemon.kill('SIGTERM');
  const isGone = (): boolean => daemon.exitCode !== null || daemon.signalCode !== null || daemon.pid === undefined;
  await waitUntil(isGone, 15_000);
  if (!isGone()) daemon.kill('SIGKILL');
  for (const pid of processesOf(directory)) process.kill(pid, 'SIGKILL');
  await waitUntil(() => processesOf(directory).length === 0, 10_000);
  for (const mount of mountsOf(directory)) await run('umount', ['-l', mount]).catch(() => undefined);
  await rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}

/** What containers run outlives an engine that was killed. */
function killContainers(pids: readonly number[]): void {
  const isOurs = (pid: number): boolean =>
    pid > 0 && textOf(`/proc/${pid}/cmdline`) === ['/bin/sleep', '1000', ''].join('\0');
  for (const pid of pids.filter(isOurs)) process.kill(pid, 'SIGKILL');
}

async function waitUntil(isTrue: () => boolean, withinMs: number): Promise<void> {
  const end = performance.now() + withinMs;
  while (!isTrue() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 50));
}

/** Processes that were started with this folder in their arguments: containerd and its shims. */
function processesOf(directory: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => textOf(`/proc/${pid}/cmdline`).includes(directory))
    .map(Number);
}

/** Innermost first. */
function mountsOf(directory: string): string[] {
  const targets = textOf('/proc/self/mounts')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '');
  return targets.filter((target) => target.startsWith(`${directory}/`)).toReversed();
}

function textOf(file: string): string {
  try {
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  } catch {
    return '';
  }
}
