// Makes a fresh clone ready: npm packages (Node 26 among them) and Debian packages. Runs under any Node from 18 on, before
// start and test, and does nothing when nothing is missing. Usage: node scripts/setup.mjs [start|test]
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const modules = path.join(root, 'node_modules');
const stamp = path.join(modules, '.setup-stamp');
const lock = path.join(root, '.setup.lock');
const LOCK_STALE_MS = 600_000;

/** Debian packages by purpose: the program or the file that shows a package is there, and the package. */
const START = [
  ['haproxy', 'haproxy'],
  ['curl', 'curl'],
  ['dig', 'bind9-dnsutils'],
];
const TEST = [
  ...START,
  ['strace', 'strace'],
  ['wrk', 'wrk'],
  ['dnsperf', 'dnsperf'],
  ['named', 'bind9'],
  ['unbound', 'unbound'],
  ['ip', 'iproute2'],
  ['iptables', 'iptables'],
  ['etcd', 'etcd-server'],
  ['etcdctl', 'etcd-client'],
  ['openssl', 'openssl'],
  ['dockerd', 'docker.io'],
  ['busybox', 'busybox-static'],
  ['go', 'golang-go'],
  ['ansible', 'ansible'],
  ['/usr/lib/nagios/plugins/check_http', 'monitoring-plugins-basic'],
  ['/usr/lib/python3/dist-packages/consul/__init__.py', 'python3-consul'],
  ['/usr/lib/python3/dist-packages/hcl/__init__.py', 'python3-pyhcl'],
  ['/usr/share/gocode/src/github.com/armon/consul-api', 'golang-github-armon-consul-api-dev'],
];
const PACKAGES = { start: START, test: TEST };

const wanted = createHash('sha256')
  .update(readFileSync(path.join(root, 'package-lock.json')))
  .update(process.platform + process.arch)
  .digest('hex');
const installed = () => existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted;

function sleep(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Two set-ups at once (npm start beside npm test) take turns. */
function takeLock() {
  for (;;) {
    try {
      return openSync(lock, 'wx');
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      const since = statSync(lock, { throwIfNoEntry: false })?.mtimeMs;
      if (since !== undefined && Date.now() - since > LOCK_STALE_MS) unlinkSync(lock);
      sleep(300);
    }
  }
}

function nodeVersion() {
  const out = spawnSync(path.join(modules, '.bin/node'), ['-p', 'process.versions.node'], { encoding: 'utf8' });
  return out.stdout?.trim() ?? '';
}

function installModules() {
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (npm.status !== 0) return npm.status ?? 1;
  const version = nodeVersion();
  if (Number.parseInt(version, 10) >= 26) {
    writeFileSync(stamp, wanted);
    return 0;
  }
  console.error(
    `setup: no Node 26 in node_modules (found "${version}" for ${process.platform}-${process.arch}); was npm told to omit optional packages?`,
  );
  return 1;
}

function setUpModules() {
  if (installed()) return 0;
  const descriptor = takeLock();
  try {
    return installed() ? 0 : installModules();
  } finally {
    closeSync(descriptor);
    unlinkSync(lock);
  }
}

function onPath(program) {
  if (path.isAbsolute(program)) return existsSync(program);
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'];
  return folders.some((folder) => existsSync(path.join(folder, program)));
}

function aptGet(...args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync('apt-get', ['-q', ...args], { stdio: ['ignore', 2, 2], env }).status === 0;
}

/** Installs what is missing when that is possible; otherwise names it, and what runs next says what it leaves out. */
function setUpPackages(purpose) {
  const missing = (PACKAGES[purpose] ?? []).filter(([program]) => !onPath(program)).map(([, name]) => name);
  if (missing.length === 0) return;
  const command = `apt-get install -y --no-install-recommends ${missing.join(' ')}`;
  const able = process.getuid?.() === 0 && onPath('apt-get') && process.env.DROVER_NO_APT === undefined;
  if (!able) return console.error(`setup: missing ${missing.join(', ')}; install with: ${command}`);
  console.error(`setup: installing ${missing.join(', ')}`);
  const install = () => aptGet('install', '-y', '--no-install-recommends', ...missing);
  if (!install() && !(aptGet('update') && install())) console.error(`setup: could not install; try: ${command}`);
}

const status = setUpModules();
if (status === 0 && process.argv[2] !== undefined) setUpPackages(process.argv[2]);
process.exitCode = status;
