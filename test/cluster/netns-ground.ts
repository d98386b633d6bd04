import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { promisify } from 'node:util';
import type { Entrance, Ground, Site } from './ground.ts';

const run = promisify(execFile);
const FIRST = 11;

/** Waits for the end of its standard input; when that comes without a word, the maker was killed, and it takes everything away. */
const GUARD = `read -r word || {
  for space in $(ip netns list | cut -d' ' -f1 | grep "^$1-"); do ip netns del "$space"; done
  ip link del "$1-br"
}`;

/**
 * Network namespaces of this machine with a bridge between them; for root. A line is cut by iptables, which drops packets both ways
 * in the namespace of a party. Everything it makes carries its name, and goes with it.
 */
export class NetnsGround implements Ground {
  readonly #id: string;
  readonly #net: string;
  readonly #addresses = new Map<string, string>();
  readonly #cuts = new Map<string, Set<string>>();
  readonly #guard: ChildProcess;

  private constructor(id: string, net: string) {
    this.#id = id;
    this.#net = net;
    const stdio: ['pipe', 'ignore', 'ignore'] = ['pipe', 'ignore', 'ignore'];
    this.#guard = spawn('/bin/sh', ['-c', GUARD, 'guard', id], { stdio, detached: true });
    this.#guard.stdin?.on('error', () => undefined);
    this.#guard.unref();
  }

  /** `id` has at most eight letters and digits and is nobody else's; the bridge is 10.NET.1, parties are 10.NET.11 and up. @throws when not root */
  static async start({ id, net }: { readonly id: string; readonly net: string }): Promise<NetnsGround> {
    const ground = new NetnsGround(id, net);
    try {
      await ip('link', 'add', ground.#bridge, 'type', 'bridge');
      await ip('addr', 'add', `10.${net}.1/24`, 'dev', ground.#bridge);
      await ip('link', 'set', ground.#bridge, 'up');
      return ground;
    } catch (error) {
      await ground[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Of this machine in the parties' network: from here all of them can be called. */
  get ownAddress(): string {
    return `10.${this.#net}.1`;
  }

  async site(party: string): Promise<Site> {
    const number = this.#addresses.size;
    const [space, address] = [this.#space(party), `10.${this.#net}.${FIRST + number}`];
    const [near, far] = [this.#near(number), `${this.#id}+${number}`];
    this.#addresses.set(party, address);
    await ip('netns', 'add', space);
    await ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far);
    await ip('link', 'set', near, 'master', this.#bridge, 'up');
    await ip('link', 'set', far, 'netns', space, 'name', 'eth0');
    await ip('-n', space, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
    await ip('-n', space, 'link', 'set', 'eth0', 'up');
    await ip('-n', space, 'link', 'set', 'lo', 'up');
    return { name: party, address, outerAddress: address, prefix: ['ip', 'netns', 'exec', space] };
  }

  async entrance({ address: host }: Site, port: number): Promise<Entrance> {
    return { listen: { host, port }, reached: { host, port } };
  }

  begun(): void {
    // Its packets say who it is.
  }

  async cut(party: string, other?: string): Promise<void> {
    await this.#change(party, other, '-I');
  }

  async heal(party: string, other?: string): Promise<void> {
    await this.#change(party, other, '-D');
  }

  async healAll(): Promise<void> {
    for (const party of this.#cuts.keys()) await this.#iptables(party, '-F');
    this.#cuts.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A namespace takes its end of a line away when it gets to it: whoever comes next under this name would meet the other one.
    for (const number of [...this.#addresses.keys()].keys()) await quietly(ip('link', 'del', this.#near(number)));
    for (const party of this.#addresses.keys()) await quietly(ip('netns', 'del', this.#space(party)));
    await quietly(ip('link', 'del', this.#bridge));
    this.#guard.stdin?.end('taken away\n');
  }

  get #bridge(): string {
    return `${this.#id}-br`;
  }

  #near(number: number): string {
    return `${this.#id}-${number}`;
  }

  #space(party: string): string {
    return `${this.#id}-${party}`;
  }

  async #change(party: string, other: string | undefined, action: '-I' | '-D'): Promise<void> {
    const cuts = this.#cuts.get(party) ?? new Set();
    this.#cuts.set(party, cuts);
    const isThere = cuts.has(other ?? '');
    if (isThere === (action === '-I')) return;
    const address = other === undefined ? undefined : this.#addressOf(other);
    // What it says to itself is no line.
    const [from, to] =
      address === undefined
        ? [
            ['!', '-i', 'lo'],
            ['!', '-o', 'lo'],
          ]
        : [
            ['-s', address],
            ['-d', address],
          ];
    await this.#iptables(party, action, 'INPUT', ...from, '-j', 'DROP');
    await this.#iptables(party, action, 'OUTPUT', ...to, '-j', 'DROP');
    if (action === '-I') cuts.add(other ?? '');
    else cuts.delete(other ?? '');
  }

  #addressOf(party: string): string {
    const address = this.#addresses.get(party);
    if (address === undefined) throw new Error(`there is no party ${party}`);
    return address;
  }

  async #iptables(party: string, ...words: readonly string[]): Promise<void> {
    await ip('netns', 'exec', this.#space(party), 'iptables', '-w', ...words);
  }
}

async function ip(...words: readonly string[]): Promise<void> {
  await run('ip', words);
}

async function quietly(done: Promise<void>): Promise<void> {
  await done.catch(() => undefined);
}
