import { execFile } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import path from 'node:path';

/** Debian has it in /usr/sbin, which is not in every user's PATH. */
const USUAL_DIRECTORIES = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin'];
const CHECK_TIMEOUT_MS = 10_000;
const MESSAGE_LENGTH = 500;

/** The path of HAProxy: the given one, else from PATH and the usual places; null when there is none that can be run. */
export function findHaproxy(given: string | undefined, searchPath = process.env['PATH'] ?? ''): string | null {
  if (given !== undefined) return isExecutable(given) ? given : null;
  const directories = [...searchPath.split(path.delimiter).filter(path.isAbsolute), ...USUAL_DIRECTORIES];
  return directories.map((directory) => path.join(directory, 'haproxy')).find(isExecutable) ?? null;
}

/** Asks HAProxy about a configuration file (`haproxy -c`); null when it is good, else what it says is wrong. */
export function checkConfiguration(binary: string, file: string): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(binary, ['-c', '-f', file], { timeout: CHECK_TIMEOUT_MS }, (error, _stdout, stderr) => {
      resolve(error === null ? null : alertsIn(stderr) || error.message.slice(0, MESSAGE_LENGTH));
    });
  });
}

/** What HAProxy's output says is fatal, on one line and without its pids; empty when it says nothing of the kind. */
export function alertsIn(output: string): string {
  const alerts = [...output.matchAll(/^\[ALERT\]\s+\(\d+\) : (.*)$/gm)].map((match) => (match[1] as string).trim());
  return alerts
    .filter((alert) => !/Fatal errors found|Error\(s\) found/.test(alert))
    .join('; ')
    .slice(0, MESSAGE_LENGTH);
}

/** Whom a worker started by root becomes: Debian's `haproxy`, else nobody; null when this process is not root. */
export function workerIdentity(): { readonly user: string; readonly group: string } | null {
  if (process.getuid?.() !== 0) return null;
  const users = namesIn('/etc/passwd');
  const groups = namesIn('/etc/group');
  if (users.has('haproxy') && groups.has('haproxy')) return { user: 'haproxy', group: 'haproxy' };
  const group = ['nogroup', 'nobody'].find((name) => groups.has(name));
  return users.has('nobody') && group !== undefined ? { user: 'nobody', group } : null;
}

function namesIn(file: string): Set<string> {
  try {
    return new Set(
      readFileSync(file, 'utf8')
        .split('\n')
        .map((line) => line.split(':')[0] as string),
    );
  } catch {
    return new Set();
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
