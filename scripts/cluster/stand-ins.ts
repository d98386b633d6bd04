import { tmpdir } from 'node:os';
import type { DroverCluster } from '../../test/cluster/drover-cluster.ts';
import type { DroverProcess } from '../../test/cluster/drover-process.ts';
import { GuardedProcess } from '../../test/cluster/guarded-process.ts';

const PROGRAM = `const [name, host, port] = process.argv.slice(1);
require('node:http').createServer((_, answer) => answer.end(name + '\\n')).listen(Number(port), host);`;

/** One small web server a node, that says on which node it is; registered at its agent as `web`, with a check. */
export class StandIns implements AsyncDisposable {
  readonly #programs: GuardedProcess[] = [];

  static async start(cluster: DroverCluster): Promise<StandIns> {
    const all = new StandIns();
    try {
      for (const agent of cluster.agents) await all.#begin(cluster, agent);
      return all;
    } catch (error) {
      await all[Symbol.asyncDispose]();
      throw error;
    }
  }

  get count(): number {
    return this.#programs.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#programs.map((program) => program.kill()));
  }

  async #begin({ ground }: DroverCluster, { name, site, url }: DroverProcess): Promise<void> {
    const { listen } = await ground.entrance(site, 8_080);
    const said = ['-e', PROGRAM, name, listen.host, String(listen.port)];
    const [program = process.execPath, ...words] = [...site.prefix, process.execPath, ...said];
    this.#programs.push(GuardedProcess.start({ program, words, cwd: tmpdir() }));
    const check = { TCP: `${listen.host}:${listen.port}`, Interval: '1s' };
    const body = JSON.stringify({ Name: 'web', Port: listen.port, Address: listen.host, Check: check });
    const answer = await fetch(`${url}/v1/agent/service/register`, { method: 'PUT', body });
    if (!answer.ok) throw new Error(`${name} does not take its service: ${await answer.text()}`);
  }
}
