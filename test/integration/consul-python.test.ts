import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { requireComponent } from '../require-component.ts';
import { ConsulAgent, ROOT_TOKEN } from './consul-agent.ts';
import { runProgram } from './run-program.ts';

const FIXTURES = path.resolve(import.meta.dirname, '../fixtures/consul-clients');
/** Debian's own: another one in the PATH does not have Debian's packages. */
const PYTHON = '/usr/bin/python3';

const hasModules = spawnSync(PYTHON, ['-c', 'import consul, hcl']).status === 0;

requireComponent(PYTHON, hasModules ? undefined : 'python3-consul python3-pyhcl')('clients in Python', () => {
  let agent: ConsulAgent;
  beforeAll(async () => {
    agent = await ConsulAgent.start();
  });
  afterAll(() => agent?.[Symbol.asyncDispose]());

  test('python-consul, over all its groups', { timeout: 120_000 }, async () => {
    const script = path.join(FIXTURES, 'python_consul.py');
    const { code, stderr } = await runProgram(PYTHON, [script, agent.host, String(agent.port)], {
      env: { CONSUL_ROOT: ROOT_TOKEN, PYTHONWARNINGS: 'ignore' },
    });
    expect(stderr).toMatch(/^Ran 24 tests in /m);
    expect({ code, failed: stderr.match(/^(?:FAIL|ERROR): .*$/gm) ?? [] }, stderr).toEqual({ code: 0, failed: [] });
  });
});

requireComponent('ansible-playbook')("Ansible's consul modules", () => {
  test('consul_kv, consul_session, consul and consul_acl', { timeout: 240_000 }, async () => {
    await using agent = await ConsulAgent.start();
    const variables = {
      ansible_python_interpreter: PYTHON,
      consul_host: agent.host,
      consul_port: agent.port,
      consul_root: ROOT_TOKEN,
    };
    const { code, stdout, stderr } = await runProgram(
      'ansible-playbook',
      ['-i', 'localhost,', '-c', 'local', '-e', JSON.stringify(variables), path.join(FIXTURES, 'playbook.yml')],
      {
        env: { ANSIBLE_NOCOLOR: '1', ANSIBLE_LOCALHOST_WARNING: 'False', PATH: '/usr/bin:/bin:/usr/sbin:/sbin' },
        home: true,
      },
    );
    expect({ code, fatal: stdout.match(/^fatal: .*$/gm) ?? [] }, stdout + stderr).toEqual({ code: 0, fatal: [] });
    expect(stdout).toMatch(/ok=\d+ .*failed=0/);
  });
});
