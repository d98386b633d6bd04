import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import type { Place } from './ground.ts';
import { Way } from './way.ts';

/** What goes through: nothing at all, only what the callers say, or only what they are told. */
export type Cut = 'both' | 'there' | 'back';

/** A line from callers to one place. */
export interface LineOptions {
  readonly listen: Place;
  readonly target: Place;
  /** Who called from which of these ports of this machine; by these names single callers can be cut off. */
  readonly callersOf?: (ports: readonly number[]) => Promise<ReadonlyMap<number, string>>;
}

const EVERYBODY = '';
/** Those that call within this while somebody is cut off are looked up together. */
const TOGETHER_MS = 50;

/**
 * A TCP proxy that can be cut, slowed and torn. A cut one behaves as a network that loses packets: nothing is closed, nothing is
 * refused, what was sent arrives after healing.
 */
export class Line implements AsyncDisposable {
  readonly place: Place;
  readonly #target: Place;
  readonly #callersOf: (ports: readonly number[]) => Promise<ReadonlyMap<number, string>>;
  readonly #server: Server;
  readonly #calls = new Set<Call>();
  readonly #cuts = new Map<string, Cut>();
  #delayMs = 0;
  #finding: Promise<void> | null = null;

  private constructor({ listen, target, callersOf = () => Promise.resolve(new Map()) }: LineOptions, server: Server) {
    this.place = listen;
    this.#target = target;
    this.#callersOf = callersOf;
    this.#server = server;
    server.on('connection', (socket) => this.#take(socket));
  }

  /** @throws when the place to listen at is taken */
  static async start(options: LineOptions): Promise<Line> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
    const line = new Line(options, server);
    server.listen(options.listen.port, options.listen.host);
    await once(server, 'listening');
    return line;
  }

  /** How many go through it. */
  get calls(): number {
    return this.#calls.size;
  }

  /** Loses everything, or one direction (a half-open line), of everybody or one caller; of one as soon as it is known who calls. */
  async cut(caller: string = EVERYBODY, cut: Cut = 'both'): Promise<void> {
    this.#cuts.set(caller, cut);
    if (caller !== EVERYBODY) await this.#find();
    this.#apply();
  }

  /** Takes back the cut of everybody, or of one caller; what was held arrives. */
  heal(caller: string = EVERYBODY): void {
    this.#cuts.delete(caller);
    this.#apply();
  }

  /** Takes back every cut and every delay. */
  healAll(): void {
    this.#cuts.clear();
    this.delay(0);
  }

  /** Each byte arrives this much later, in either direction. */
  delay(delayMs: number): void {
    this.#delayMs = delayMs;
    this.#apply();
  }

  /** Tears every connection. */
  reset(): void {
    for (const call of this.#calls) call.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.reset();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #take(socket: Socket): void {
    const call = new Call({ socket, target: this.#target, onEnd: () => this.#calls.delete(call) });
    this.#calls.add(call);
    if (this.#namesMatter) void this.#findSoon().then(() => this.#apply());
    else call.set(this.#cutOf(EVERYBODY), this.#delayMs);
  }

  get #namesMatter(): boolean {
    return [...this.#cuts.keys()].some((caller) => caller !== EVERYBODY);
  }

  #findSoon(): Promise<void> {
    this.#finding ??= new Promise<void>((resolve) => void setTimeout(resolve, TOGETHER_MS)).then(() => {
      this.#finding = null;
      return this.#find();
    });
    return this.#finding;
  }

  /** Who calls is looked up only where it matters: it takes its time. */
  async #find(): Promise<void> {
    const unknown = [...this.#calls].filter(({ caller }) => caller === null);
    if (unknown.length === 0) return;
    const callers = await this.#callersOf(unknown.map(({ port }) => port));
    for (const call of unknown) call.caller = callers.get(call.port) ?? EVERYBODY;
  }

  #apply(): void {
    const namesMatter = this.#namesMatter;
    // One that has just called is set when it is known who that is.
    for (const call of this.#calls)
      if (call.caller !== null || !namesMatter) call.set(this.#cutOf(call.caller ?? EVERYBODY), this.#delayMs);
  }

  #cutOf(caller: string): Cut | undefined {
    return this.#cuts.get(EVERYBODY) ?? this.#cuts.get(caller);
  }
}

interface CallOptions {
  readonly socket: Socket;
  readonly target: Place;
  readonly onEnd: () => void;
}

/** One connection through a line. The place is called only when the line is whole: until then it hears nothing of it. */
class Call {
  readonly port: number;
  /** null before it was looked up. */
  caller: string | null = null;
  readonly #near: Socket;
  readonly #target: Place;
  readonly #onEnd: () => void;
  #far: Socket | undefined;
  #there: Way | undefined;
  #back: Way | undefined;

  constructor({ socket, target, onEnd }: CallOptions) {
    this.port = socket.remotePort ?? 0;
    this.#near = socket;
    this.#target = target;
    this.#onEnd = onEnd;
    this.#watch(socket);
  }

  set(cut: Cut | undefined, delayMs: number): void {
    if (cut === undefined) this.#connect();
    this.#there?.set({ held: cut === 'both' || cut === 'there', delayMs });
    this.#back?.set({ held: cut === 'both' || cut === 'back', delayMs });
  }

  end(): void {
    this.#near.destroy();
    this.#far?.destroy();
    this.#onEnd();
  }

  #connect(): void {
    if (this.#far !== undefined) return;
    const far = createConnection({ ...this.#target, allowHalfOpen: true, noDelay: true });
    this.#far = far;
    this.#watch(far);
    this.#there = new Way(this.#near, far);
    this.#back = new Way(far, this.#near);
  }

  #watch(socket: Socket): void {
    socket.on('error', () => this.end());
    socket.on('close', () => this.end());
  }
}
