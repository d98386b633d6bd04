import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { expect, test } from 'vitest';

/** What an agent answered, as it came: nothing is unpacked or followed. */
export class WireReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;

  constructor(status: number, headers: IncomingHttpHeaders, bytes: Buffer) {
    this.status = status;
    this.headers = headers;
    this.bytes = bytes;
  }

  get text(): string {
    return this.bytes.toString();
  }

  get index(): number {
    return Number(this.headers['x-consul-index']);
  }

  /** @throws when it is no JSON */
  json<T = unknown>(): T {
    return JSON.parse(this.text) as T;
  }
}

export interface WireOptions {
  /** Bytes and text are sent as they are, anything else as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** A client that sends paths as they are given, and shows answers as they are. */
export class Wire implements Disposable {
  readonly #url: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #connections = new Agent({ keepAlive: true });

  constructor(url: string, headers: Readonly<Record<string, string>> = {}) {
    this.#url = new URL(url);
    this.#headers = headers;
  }

  /** `call` is a method and a path below `/v1/`, or an absolute one: `GET kv/a?raw`, `GET /`. */
  ask(call: string, { body, headers, signal }: WireOptions = {}): Promise<WireReply> {
    const { method, path } = parts(call);
    const payload = payloadOf(body);
    // Node sends no length of its own with GET and DELETE.
    const length = payload === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(payload)) };
    return new Promise((resolve, reject) => {
      const request = httpRequest({
        host: this.#url.hostname,
        port: this.#url.port,
        agent: this.#connections,
        method,
        path,
        headers: { ...length, ...this.#headers, ...headers },
        ...(signal ? { signal } : {}),
      });
      request.on('error', reject).on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
        response.on('end', () =>
          resolve(new WireReply(response.statusCode ?? 0, response.headers, Buffer.concat(chunks))),
        );
      });
      request.end(payload);
    });
  }

  /** Its JSON. @throws unless it is 200 */
  async json<T = unknown>(call: string, options?: WireOptions): Promise<T> {
    return (await this.ok(call, options)).json<T>();
  }

  /** @throws unless it is 200 */
  async ok(call: string, options?: WireOptions): Promise<WireReply> {
    const reply = await this.ask(call, options);
    expect(reply.status, `${call}: ${reply.text}`).toBe(200);
    return reply;
  }

  /** Sends bytes, one per character, and reads until the other side closes. */
  raw(text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(Number(this.#url.port), this.#url.hostname).setEncoding('latin1');
      let said = '';
      socket.on('data', (chunk) => (said += String(chunk))).on('error', reject);
      socket.on('close', () => resolve(said));
      socket.write(text, 'latin1');
    });
  }

  [Symbol.dispose](): void {
    this.#connections.destroy();
  }
}

/** What an answer has to be: its text whole, a pattern of it, or its JSON (with `expect.objectContaining` and the like). */
export type Wanted = string | RegExp | object;

/** A line of a table: its title, what is asked, the status, what is answered, and what is sent. */
export type WireRow = readonly [title: string, call: string, status: number, wanted: Wanted, body?: unknown];

/** Asks what a row says and holds the answer against it. */
export async function checkRow(wire: Wire, [, call, status, wanted, body]: WireRow): Promise<WireReply> {
  const reply = await wire.ask(call, { body });
  expect({ status: reply.status, text: reply.text }).toMatchObject({ status });
  if (typeof wanted === 'string') expect(reply.text).toBe(wanted);
  else if (wanted instanceof RegExp) expect(reply.text).toMatch(wanted);
  else expect(reply.json()).toEqual(wanted);
  if (status >= 400) expect(reply.headers['content-type'] ?? 'text/plain').toMatch(/^text\/plain/);
  return reply;
}

/** A test for each row. `wire` is asked for when the tests run. */
export function testRows(wire: () => Wire, rows: readonly WireRow[]): void {
  for (const row of rows)
    test(row[0], async () => {
      await checkRow(wire(), row);
    });
}

function parts(call: string): { method: string; path: string } {
  const space = call.indexOf(' ');
  const path = call.slice(space + 1);
  return { method: call.slice(0, space), path: /^(?:\/|http:)/.test(path) ? path : `/v1/${path}` };
}

function payloadOf(body: unknown): Buffer | string | undefined {
  if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) return body;
  return JSON.stringify(body);
}
