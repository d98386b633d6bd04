import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ConsulAgent } from './consul-agent.ts';
import { until as untilSo } from '../until.ts';

const run = promisify(execFile);

/** What an agent answered. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** A process of drover, and how a test speaks to it. */
export class Party implements AsyncDisposable {
  readonly process: ConsulAgent;
  readonly name: string;
  readonly token: string | undefined;

  constructor(process: ConsulAgent, name: string, token: string | undefined) {
    this.process = process;
    this.name = name;
    this.token = token;
  }

  async ask(method: string, path: string, body?: string | Buffer, headers: object = {}): Promise<Reply> {
    const shown = this.token === undefined ? {} : { 'X-Consul-Token': this.token };
    const response = await fetch(`${this.process.url}${path}`, {
      method,
      headers: { ...shown, ...headers },
      ...(body === undefined ? {} : { body }),
    });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }

  async get(path: string): Promise<unknown> {
    return JSON.parse((await this.ask('GET', path)).text) as unknown;
  }

  /** Registers, and throws when that is refused. */
  async register(service: object): Promise<void> {
    const { status, text } = await this.ask('PUT', '/v1/agent/service/register', JSON.stringify(service));
    if (status !== 200) throw new Error(`${status}: ${text}`);
  }

  /** What dig prints with `+short`, in order. */
  async dig(...words: readonly string[]): Promise<string[]> {
    const { dns } = (await this.get('/v2/status')) as { readonly dns: string };
    const [host, port] = dns.split(':') as [string, string];
    const { stdout } = await run('dig', ['+short', '+noedns', '+tries=1', `@${host}`, '-p', port, ...words]);
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .toSorted();
  }

  /** The whole of what dig prints. */
  async digs(...words: readonly string[]): Promise<string> {
    const { dns } = (await this.get('/v2/status')) as { readonly dns: string };
    const [host, port] = dns.split(':') as [string, string];
    return (await run('dig', ['+tries=1', `@${host}`, '-p', port, ...words])).stdout;
  }

  async isLinked(): Promise<boolean> {
    const { link, ready } = (await this.get('/v2/status')) as {
      readonly link: { readonly url: string | null };
      ready: boolean;
    };
    return link.url !== null && ready;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.process[Symbol.asyncDispose]();
  }
}

export interface JoinedRegionOptions {
  readonly agents: readonly string[];
  /** Of server and agents, beside their names. */
  readonly configuration?: object;
  /** Of agents only. */
  readonly agentConfiguration?: object;
  readonly token?: string;
}

/** One server with a store on disk, and agents that are linked to it: all processes of their own. */
export class JoinedRegion implements AsyncDisposable {
  readonly server: Party;
  readonly agents: readonly Party[];

  private constructor(server: Party, agents: readonly Party[]) {
    this.server = server;
    this.agents = agents;
  }

  static async start({
    agents,
    configuration = {},
    agentConfiguration = {},
    token,
  }: JoinedRegionOptions): Promise<JoinedRegion> {
    await using stack = new AsyncDisposableStack();
    const begin = async (name: string, flags: readonly string[], more: object): Promise<Party> => {
      const settings = { node_name: name, ...configuration, ...more };
      const process = await ConsulAgent.start({ flags: ['-timing', 'local', ...flags], configuration: settings });
      return stack.use(new Party(process, name, token));
    };
    const server = await begin('server', ['-server'], {});
    const join = ['-join', `127.0.0.1:${server.process.port}`];
    const joined = await Promise.all(agents.map((name) => begin(name, join, agentConfiguration)));
    await until(async () => (await Promise.all(joined.map((one) => one.isLinked()))).every(Boolean));
    stack.move();
    return new JoinedRegion(server, joined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.agents, this.server].map((one) => one[Symbol.asyncDispose]()));
  }
}

/** Resolves when something is so; rejects after 20 s. */
export async function until(question: () => boolean | Promise<boolean>, what = 'it'): Promise<void> {
  await untilSo(what, question, 20_000);
}
