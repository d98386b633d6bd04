import { createClient } from '@connectrpc/connect';
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';
import { KV, Watch } from '../src/store/etcd/generated/rpc_pb.ts';
import { EtcdCluster } from '../test/cluster/etcd-cluster.ts';
import { AgentProcess } from './agent-process.ts';
import { DnsClient } from './dns-client.ts';
import { HttpClient } from './http-client.ts';
import { percentile, rounded, type BenchOptions, type BenchResult } from './result.ts';

const ROUNDS = 1_000;
const BOUND = 3;
const REGISTER = '/v1/agent/service/register';

/**
 * A registration on an agent that is linked to one server, until DNS of the other server has it, in turn with a bare put into the
 * same etcd until a watch on another connection tells of it.
 */
export async function run({ quick }: BenchOptions): Promise<BenchResult> {
  await using etcd = await EtcdCluster.start();
  await using first = await AgentProcess.start({ store: etcd.url, config: { node_name: 'bench-1' } });
  await using second = await AgentProcess.start({ store: etcd.url, config: { node_name: 'bench-2' } });
  await using agent = await AgentProcess.start({
    join: [`127.0.0.1:${first.started.httpPort}`],
    config: { node_name: 'bench-agent' },
  });
  using http = new HttpClient(agent.started.httpPort);
  await using dns = await DnsClient.start(second.started.dnsPort);
  await using bare = await Bare.start(etcd.endpoints[0] as string);
  const times = { ours: [] as number[], bare: [] as number[] };
  const rounds = quick ? 20 : ROUNDS;
  for (let round = -Math.ceil(rounds / 10); round < rounds; round++) {
    const ours = await register(http, dns, round);
    const other = await bare.put(`r${round}`);
    if (round < 0) continue;
    times.ours.push(ours);
    times.bare.push(other);
  }
  const row: Record<string, string | number> = { what: 'PUT on an agent → DNS of another server', tries: rounds };
  for (const [name, part] of [
    ['p50', 0.5],
    ['p99', 0.99],
  ] as const) {
    const [mine, theirs] = [percentile(times.ours, part), percentile(times.bare, part)];
    Object.assign(row, { [`${name} ms`]: rounded(mine), [`bare ${name}`]: rounded(theirs) });
    row[`${name} ratio`] = rounded(mine / theirs);
  }
  return {
    name: 'a registration on one agent until DNS on another server',
    bound: `p99 ≤ ${BOUND} times a bare put → watch`,
    rows: [row],
    ok: Number(row['p99 ratio']) <= BOUND,
  };
}

/** From the request until the first answer that has it; the question is asked again as soon as it is answered. */
async function register(http: HttpClient, dns: DnsClient, round: number): Promise<number> {
  const name = 'probed';
  const address = `10.1.${((round + 500) >> 8) & 255}.${(round + 500) & 255}`;
  const begun = performance.now();
  let isThere = false;
  const seen = (async (): Promise<number> => {
    while (!isThere) isThere = (await dns.addresses(`${name}.service.consul`))?.join() === address;
    return performance.now() - begun;
  })();
  await http.put(REGISTER, { ID: name, Name: name, Address: address, Port: 8_080 });
  return await seen;
}

/** A bare client: one connection that puts, one that watches. */
class Bare implements AsyncDisposable {
  readonly #put: (key: string) => Promise<unknown>;
  readonly #waiting = new Map<string, () => void>();
  readonly #closing = new AbortController();
  readonly #sessions: readonly Http2SessionManager[];

  static async start(endpoint: string): Promise<Bare> {
    const bare = new Bare(endpoint);
    await bare.put('first');
    return bare;
  }

  private constructor(endpoint: string) {
    const baseUrl = `http://${endpoint}`;
    this.#sessions = [new Http2SessionManager(baseUrl), new Http2SessionManager(baseUrl)];
    const [writes, events] = this.#sessions.map((sessionManager) => createGrpcTransport({ baseUrl, sessionManager }));
    const kv = createClient(KV, writes as NonNullable<typeof writes>);
    this.#put = (key) => kv.put({ key: Buffer.from(`bare/${key}`), value: Buffer.alloc(300, 'x') });
    void this.#watch(createClient(Watch, events as NonNullable<typeof events>)).catch(() => undefined);
  }

  async put(key: string): Promise<number> {
    const begun = performance.now();
    const told = new Promise<void>((resolve) => this.#waiting.set(key, resolve));
    await this.#put(key);
    await told;
    return performance.now() - begun;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    for (const session of this.#sessions) session.abort();
    await Promise.resolve();
  }

  async #watch(client: ReturnType<typeof createClient<typeof Watch>>): Promise<void> {
    const { signal } = this.#closing;
    const ended = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    const prefix = Buffer.from('bare/');
    const requests = async function* (): AsyncGenerator<object> {
      yield {
        requestUnion: {
          case: 'createRequest',
          value: { key: prefix, rangeEnd: Buffer.from('bare0'), startRevision: 1n },
        },
      };
      await ended;
    };
    for await (const { events } of client.watch(requests(), { signal })) {
      for (const { kv } of events) {
        const key = Buffer.from(kv?.key ?? [])
          .toString()
          .slice('bare/'.length);
        this.#waiting.get(key)?.();
        this.#waiting.delete(key);
      }
    }
  }
}
