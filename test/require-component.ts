import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { describe } from 'vitest';

/** Debian has daemons in directories that are not in every user's PATH. */
const USUAL_DIRECTORIES = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** The path of a real component that tests need, such as `haproxy`, `dig` or a file; null when it is absent. */
export function findComponent(name: string): string | null {
  if (path.isAbsolute(name)) return isExecutable(name) ? name : null;
  const directories = [...(process.env['PATH'] ?? '').split(path.delimiter), ...USUAL_DIRECTORIES];
  return directories.map((directory) => path.join(directory, name)).find(isExecutable) ?? null;
}

/**
 * `describe` for tests with a real component: where it is absent they are skipped and the reason is printed, but fail
 * when CI=true. `packages` is told where the program is there and what belongs to it is not.
 *
 * @example requireComponent('haproxy')('LocalBalancer', () => { … });
 */
export function requireComponent(name: string, packages?: string): typeof describe | typeof describe.skip {
  if (packages === undefined && findComponent(name) !== null) return describe;
  const reason = `${name} is not installed: apt-get install ${packages ?? PACKAGES[name] ?? name}`;
  if (process.env['CI'] === 'true') throw new Error(reason);
  console.warn(`skipped: ${reason}`);
  return describe.skip;
}

const PACKAGES: Readonly<Record<string, string>> = {
  dig: 'bind9-dnsutils',
  named: 'bind9',
  etcd: 'etcd-server',
  etcdctl: 'etcd-client',
  flock: 'util-linux',
  ip: 'iproute2',
  prlimit: 'util-linux',
  unshare: 'util-linux',
};

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
