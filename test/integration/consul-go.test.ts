import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { requireComponent } from '../require-component.ts';
import { LEGACY_CONFIGURATION, ROOT_TOKEN } from './consul-agent.ts';
import { runProgram } from './run-program.ts';

/** armon's client of 2015 with its 41 tests: Debian's golang-github-armon-consul-api-dev. */
const SUITE = '/usr/share/gocode/src/github.com/armon/consul-api';
const TESTS = 41;
const DROVER = path.resolve(import.meta.dirname, '../../bin/drover');
/** Debian's own compiler, where it is: a newer one may have given up GOPATH. */
const GO = existsSync('/usr/lib/go/bin/go') ? '/usr/lib/go/bin/go' : 'go';

/**
 * The suite knows one address, 127.0.0.1:8500: it gets a network of its own, where nothing else can have it, and
 * processes of its own, which end with it.
 */
const SCRIPT = `
ip link set lo up
"$DROVER" agent -dev -legacy -config-file agent.json > agent.log 2>&1 &
for try in $(seq 200); do curl -fs 127.0.0.1:8500/v1/status/leader > /dev/null && break; sleep 0.1; done
./suite.test -test.v || cat agent.log >&2
`;

requireComponent(SUITE, existsSync(SUITE) ? undefined : 'golang-github-armon-consul-api-dev golang-go iproute2 curl')(
  "armon's Go client",
  () => {
    test('passes its whole suite', { timeout: 240_000 }, async () => {
      const directory = await mkdtemp(path.join(tmpdir(), 'drover-go-'));
      try {
        const source = path.join(directory, 'src/github.com/armon/consul-api');
        await mkdir(path.dirname(source), { recursive: true });
        await cp(SUITE, source, { recursive: true });
        const env = { GOPATH: directory, GO111MODULE: 'off', GOFLAGS: '', GOTOOLCHAIN: 'local' };
        const build = ['test', '-c', '-o', path.join(directory, 'suite.test')];
        const built = await runProgram(GO, build, { cwd: source, env });
        expect(built.code, built.stderr).toBe(0);
        await writeFile(path.join(directory, 'agent.json'), JSON.stringify(LEGACY_CONFIGURATION), { mode: 0o600 });
        const alone = ['--net', '--pid', '--fork', '--kill-child', '--mount-proc'];
        const { stdout, stderr } = await runProgram('unshare', [...alone, '/bin/bash', '-c', SCRIPT], {
          cwd: directory,
          env: { DROVER, CONSUL_ROOT: ROOT_TOKEN, TMPDIR: directory },
        });
        const results = [...stdout.matchAll(/^--- (PASS|FAIL|SKIP): (\S+)/gm)];
        const others = results.filter(([, result]) => result !== 'PASS').map(([line]) => line);
        expect({ others, passed: results.length - others.length }, stdout + stderr).toEqual({
          others: [],
          passed: TESTS,
        });
      } finally {
        await rm(directory, { recursive: true, force: true, maxRetries: 5 });
      }
    });
  },
);
