import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import type { CheckDefinition } from '../definition/index.ts';
import type { Clock } from '../lib/index.ts';
import { decodeHealthResponse, encodeHealthRequest } from './grpc-health.ts';
import { askInSession, networkTimeoutOf } from './http2-session.ts';
import { splitGrpc } from './target.ts';
import { type Probe, type Verdict, boundOutput, outputLimitOf } from './verdict.ts';

/** A health response has a few bytes; more than this is none. */
const MOST_ANSWER_BYTES = 4_096;
/** gRPC's header has at most eight digits. */
const MOST_DEADLINE_MS = 99_999_999;
const CODES =
  `OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED RESOURCE_EXHAUSTED
   FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED`.split(/\s+/);

/** A probe that asks by the gRPC health protocol (grpc.health.v1): SERVING passing, anything else critical. */
export function grpcProbe(definition: CheckDefinition, { clock }: { readonly clock: Clock }): Probe {
  const { grpc = '', grpcUseTls = false } = definition;
  const target = splitGrpc(grpc);
  return async (signal) => {
    if (target === null) return { status: null, output: '' };
    const options = { target, tls: grpcUseTls, definition, clock, signal };
    const call = { service: target.service, deadlineMs: networkTimeoutOf(definition) };
    const verdict = await askInSession(options, async (session) => verdictOf(await unary(session, call)));
    const output = boundOutput(`gRPC check ${grpc}: ${verdict.output}`, outputLimitOf(definition));
    return { ...verdict, output };
  };
}

/** What came back of a call: headers with the trailers over them, and the body. */
interface Answer {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

function verdictOf({ headers, body }: Answer): Verdict {
  const http = Number(headers[':status']);
  if (http !== 200) return { status: 'critical', output: `HTTP status ${http}` };
  const code = headers['grpc-status'];
  if (code === undefined) return { status: 'critical', output: 'the answer has no grpc-status' };
  if (code !== '0') return { status: 'critical', output: describeStatus(String(code), headers['grpc-message']) };
  const serving = decodeHealthResponse(body);
  if (serving === null) return { status: 'critical', output: 'the answer is no health response' };
  return serving === 'SERVING' ? { status: 'passing', output: 'success' } : { status: 'critical', output: serving };
}

function describeStatus(code: string, message: unknown): string {
  const name = CODES[Number(code)] ?? `status ${code}`;
  return typeof message === 'string' && message !== '' ? `${name}: ${percentDecoded(message)}` : name;
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function unary(
  session: ClientHttp2Session,
  { service, deadlineMs }: { readonly service: string; readonly deadlineMs: number },
): Promise<Answer> {
  const stream = session.request({
    ':method': 'POST',
    ':path': '/grpc.health.v1.Health/Check',
    'content-type': 'application/grpc',
    te: 'trailers',
    'grpc-timeout': `${Math.min(Math.ceil(deadlineMs), MOST_DEADLINE_MS)}m`,
    'user-agent': 'drover health check',
  });
  stream.end(encodeHealthRequest(service));
  return readAnswer(stream);
}

function readAnswer(stream: ClientHttp2Stream): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let headers: IncomingHttpHeaders = {};
    const chunks: Buffer[] = [];
    let bytes = 0;
    const add = (more: IncomingHttpHeaders): void => void (headers = { ...headers, ...more });
    stream.on('response', add);
    stream.on('trailers', add);
    stream.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > MOST_ANSWER_BYTES) stream.destroy(new Error(`the answer has more than ${MOST_ANSWER_BYTES} bytes`));
    });
    stream.on('end', () => resolve({ headers, body: Buffer.concat(chunks) }));
    stream.on('error', reject);
    stream.on('close', () => reject(new Error('the call was ended without an answer')));
  });
}
