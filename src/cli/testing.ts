import { FakeClock } from '../lib/index.ts';
import type { Host, SignalName } from './host.ts';
import { runCli } from './run-cli.ts';

/** An answer of the agent: status 200 and JSON unless it says otherwise; an Error: nobody answers. */
export type FakeAnswer =
  | {
      readonly status?: number;
      readonly json?: unknown;
      readonly text?: string;
      readonly revision?: number;
      readonly type?: string;
    }
  | Error;

/** Answers by `METHOD /path?query`; a list is gone through, its last one stays. */
export type FakeAnswers = Readonly<Record<string, FakeAnswer | readonly FakeAnswer[]>>;

export interface FakeOptions {
  readonly answers?: FakeAnswers;
  readonly environment?: Record<string, string>;
  readonly input?: string | Buffer;
  readonly terminal?: Partial<Host['terminal']>;
  readonly names?: Readonly<Record<string, unknown>>;
  readonly clock?: FakeClock;
}

/** What a command line did. `requests` are `METHOD /path?query body`. */
export interface Ran {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly requests: readonly string[];
}

/** A host without a process: texts in, texts out, and an agent of canned answers. */
export class FakeHost implements Host {
  readonly environment: Record<string, string>;
  readonly clock: FakeClock;
  readonly terminal: Host['terminal'];
  readonly requests: string[] = [];
  readonly handlers = new Map<SignalName, Set<() => void>>();
  readonly headers: Record<string, string>[] = [];
  out = Buffer.alloc(0);
  err = '';
  readonly #options: FakeOptions;
  readonly #asked = new Map<string, number>();

  constructor(options: FakeOptions = {}) {
    this.#options = options;
    this.environment = options.environment ?? {};
    this.clock = options.clock ?? new FakeClock();
    this.terminal = { input: false, output: false, ...options.terminal };
  }

  readonly fetch = (async (url: URL, init: RequestInit): Promise<Response> => {
    const key = `${init.method} ${url.pathname}${url.search}`;
    const body = init.body === undefined ? '' : ` ${Buffer.from(init.body as string).toString()}`;
    this.requests.push(key + body);
    this.headers.push(init.headers as Record<string, string>);
    const answer = this.#answer(key);
    if (answer instanceof Error) throw answer;
    return toResponse(answer);
  }) as unknown as typeof fetch;

  stdout(content: string | Uint8Array): void {
    this.out = Buffer.concat([this.out, Buffer.from(content)]);
  }

  stderr(text: string): void {
    this.err += text;
  }

  async readInput(mostBytes: number): Promise<Buffer> {
    const input = Buffer.from(this.#options.input ?? '');
    if (input.length > mostBytes) throw new RangeError(`standard input is longer than ${mostBytes} bytes`);
    return input;
  }

  onSignal(name: SignalName, handler: () => void): () => void {
    const handlers = this.handlers.get(name) ?? new Set();
    this.handlers.set(name, handlers.add(handler));
    return () => void handlers.delete(handler);
  }

  signal(name: SignalName): void {
    for (const handler of this.handlers.get(name) ?? []) handler();
  }

  async resolveName(server: string, name: string, type: string): Promise<unknown> {
    const found = this.#options.names?.[`${server} ${name} ${type}`];
    if (typeof found === 'string') throw Object.assign(new Error(found), { code: found });
    return found;
  }

  #answer(key: string): FakeAnswer {
    const found = this.#options.answers?.[key];
    if (found === undefined)
      return { status: 404, json: { error: { code: 'API_UNKNOWN', message: `nothing at ${key}` } } };
    if (!Array.isArray(found)) return found as FakeAnswer;
    const turn = this.#asked.get(key) ?? 0;
    this.#asked.set(key, turn + 1);
    return found[Math.min(turn, found.length - 1)] as FakeAnswer;
  }
}

function toResponse({ status = 200, json, text, revision, type }: Exclude<FakeAnswer, Error>): Response {
  const headers = {
    'content-type': type ?? (text === undefined ? 'application/json' : 'text/plain'),
    ...(revision === undefined ? {} : { 'x-drover-revision': String(revision) }),
  };
  return new Response(text ?? JSON.stringify(json ?? null), { status, headers });
}

/** Runs a command line given as words, or as text without quotes. */
export async function run(words: string | readonly string[], options: FakeOptions = {}): Promise<Ran> {
  const host = new FakeHost(options);
  const exit = await runCli(typeof words === 'string' ? words.split(' ').filter(Boolean) : words, host);
  return { exit, stdout: host.out.toString(), stderr: host.err, requests: host.requests };
}
