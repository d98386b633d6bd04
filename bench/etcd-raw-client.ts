import { connect, constants, type ClientHttp2Session } from 'node:http2';
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';

/** A message before its length is 5 bytes: not compressed, and so long. */
const HEAD = 5;

/** The least that makes unary gRPC calls over `node:http2`, with the same generated messages: the other candidate for etcd's client. */
export class RawClient implements Disposable {
  readonly #session: ClientHttp2Session;

  constructor(endpoint: string) {
    this.#session = connect(`http://${endpoint}`);
  }

  call<I extends DescMessage, O extends DescMessage>(
    method: string,
    types: { readonly input: I; readonly output: O },
    request: MessageInitShape<I>,
  ): Promise<MessageShape<O>> {
    return new Promise((resolve, reject) => {
      const stream = this.#session.request({
        [constants.HTTP2_HEADER_METHOD]: 'POST',
        [constants.HTTP2_HEADER_PATH]: `/etcdserverpb.${method}`,
        [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
        [constants.HTTP2_HEADER_TE]: 'trailers',
      });
      const chunks: Buffer[] = [];
      let status: string | undefined;
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('response', (headers) => (status = headers['grpc-status'] as string | undefined));
      stream.on('trailers', (trailers) => (status = trailers['grpc-status'] as string | undefined));
      stream.on('error', reject);
      stream.on('end', () => {
        if (status !== '0') return reject(new Error(`gRPC status ${status}`));
        resolve(fromBinary(types.output, Buffer.concat(chunks).subarray(HEAD)));
      });
      stream.end(framed(toBinary(types.input, create(types.input, request))));
    });
  }

  [Symbol.dispose](): void {
    this.#session.destroy();
  }
}

function framed(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEAD + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, HEAD);
  return frame;
}
