import { Callers } from './caller.ts';
import { FreePorts } from './free-ports.ts';
import type { Entrance, Ground, Site } from './ground.ts';
import { Line } from './line.ts';

/** What is there; parties on 127.0.0.11 and up, without lines, unless told. */
export interface LoopbackOptions {
  /** One for each party in turn. */
  readonly addresses?: readonly string[];
  /** Parties reach each other through proxies of this process, so that they can be cut apart. */
  readonly lines?: boolean;
}

const FIRST = 11;
const MOST = 200;

/** This machine's loopback addresses: no rights are needed. Who calls through a line is found out in /proc. */
export class LoopbackGround implements Ground {
  readonly #options: LoopbackOptions;
  readonly #ports = new FreePorts();
  readonly #parties = new Map<number, string>();
  readonly #callers = new Callers(this.#parties);
  readonly #lines = new Map<string, Line[]>();

  constructor(options: LoopbackOptions = {}) {
    this.#options = options;
  }

  async site(party: string): Promise<Site> {
    const { addresses, lines = false } = this.#options;
    const count = this.#lines.size;
    this.#lines.set(party, []);
    const address = addresses?.[count % addresses.length] ?? `127.0.0.${FIRST + (count % MOST)}`;
    return { name: party, address, outerAddress: lines ? `127.0.1.${FIRST + (count % MOST)}` : address, prefix: [] };
  }

  async entrance({ name, address, outerAddress }: Site): Promise<Entrance> {
    const port = await this.#ports.next(...new Set([address, outerAddress]));
    const entrance = { listen: { host: address, port }, reached: { host: outerAddress, port } };
    if (address === outerAddress) return entrance;
    const { listen: target, reached: listen } = entrance;
    this.linesOf(name).push(await Line.start({ listen, target, callersOf: (from) => this.#callers.of(from) }));
    return entrance;
  }

  begun(party: string, pid: number): void {
    this.#parties.set(pid, party);
  }

  /** The lines to a party's entrances, in the order in which it got them. @throws for a party that is none */
  linesOf(party: string): Line[] {
    const lines = this.#lines.get(party);
    if (lines === undefined) throw new Error(`there is no party ${party}`);
    return lines;
  }

  async cut(party: string, other?: string): Promise<void> {
    if (this.#options.lines !== true) throw new Error('only parties with lines can be cut apart');
    await this.#each(party, other, (line, caller) => line.cut(caller));
  }

  async heal(party: string, other?: string): Promise<void> {
    await this.#each(party, other, async (line, caller) => line.heal(caller));
  }

  async healAll(): Promise<void> {
    for (const line of [...this.#lines.values()].flat()) line.healAll();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#lines.values()].flat().map((line) => line[Symbol.asyncDispose]()));
  }

  /** A party has lines of its own, through which others call it, and calls through those of others. */
  async #each(
    party: string,
    other: string | undefined,
    act: (line: Line, caller?: string) => Promise<void>,
  ): Promise<void> {
    const others = other === undefined ? [...this.#lines.keys()].filter((name) => name !== party) : [other];
    const to = this.linesOf(party).map((line) => act(line, other));
    const from = others.flatMap((name) => this.linesOf(name)).map((line) => act(line, party));
    await Promise.all([...to, ...from]);
  }
}
