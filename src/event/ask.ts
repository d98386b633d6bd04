import type { IncomingMessage, RequestOptions } from 'node:http';
import type { RequestOptions as SecureRequestOptions } from 'node:https';
import { messageOf } from '../lib/index.ts';
import { askFailed } from './errors.ts';

// An import of node:http evaluates a second HTTP client with it (decision 106).
const http = process.getBuiltinModule('node:http');
const https = process.getBuiltinModule('node:https');

/** What the HTTP API answered to one question. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: string;
  /** X-Consul-Index; empty where there is none. */
  readonly index: string;
  /** X-Drover-Revision: how far the server was; null where it does not say. */
  readonly revision: number | null;
}

/** Asks the HTTP API of an agent: a path with its query. Rejects when nobody answers and with the signal's reason. */
export type Ask = (path: string, signal: AbortSignal) => Promise<ApiAnswer>;

const MOST_BYTES = 64 * 1024 * 1024;

export interface AskOptions {
  /** Where the agent answers, `http://127.0.0.1:8500` or `unix:///run/drover.sock`; an agent knows its port only once it has one. */
  readonly address: () => string;
  readonly token: string | null;
}

/** Questions over HTTP. The token goes as a header, so that it is in no list of processes and no log. @throws EVENT_ASK_FAILED */
export function httpAsk({ address, token }: AskOptions): Ask & Disposable {
  // Blocking queries hold their connection for minutes: as many as there are.
  const plain = new http.Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  const secure = new https.Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  const ask: Ask = (path, signal) => {
    const { url, more } = targetOf(address(), path);
    const agent = url.protocol === 'https:' ? secure : plain;
    const headers = token === null ? {} : { 'x-consul-token': token };
    return read(url, { ...more, agent, headers, signal }).catch((error: unknown) => {
      if (signal.aborted) throw signal.reason as Error;
      throw askFailed.with({ cause: error }, path, messageOf(error));
    });
  };
  const close = (): void => {
    plain.destroy();
    secure.destroy();
  };
  return Object.assign(ask, { [Symbol.dispose]: close });
}

function targetOf(address: string, path: string): { readonly url: URL; readonly more: RequestOptions } {
  const isSocket = address.startsWith('unix://');
  const more = isSocket ? { socketPath: address.slice('unix://'.length) } : {};
  return { url: new URL(path, isSocket ? 'http://localhost' : address), more };
}

function read(url: URL, options: SecureRequestOptions & { readonly signal: AbortSignal }): Promise<ApiAnswer> {
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? https : http).request(url, options);
    request.once('error', reject);
    request.once('response', (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length > MOST_BYTES) request.destroy(new Error(`it is longer than ${MOST_BYTES} bytes`));
        else chunks.push(chunk);
      });
      response.once('error', reject);
      response.once('end', () => resolve(toAnswer(response, Buffer.concat(chunks))));
    });
    request.end();
  });
}

function toAnswer({ statusCode = 0, headers }: IncomingMessage, body: Buffer): ApiAnswer {
  const revision = Number(headers['x-drover-revision'] ?? Number.NaN);
  const index = headers['x-consul-index'];
  return {
    status: statusCode,
    body: body.toString('utf8'),
    index: typeof index === 'string' ? index : '',
    revision: Number.isSafeInteger(revision) ? revision : null,
  };
}
