import { gzip, gzipSync } from 'node:zlib';

/** The fastest level: the network is a data centre's. */
const FASTEST = { level: 1 } as const;
/** Larger bodies are compressed beside the event loop. */
const MOST_AT_ONCE = 32 * 1024;

/** Whether a client takes gzip, by its Accept-Encoding (RFC 9110, 12.5.3). */
export function takesGzip(accepted: string | undefined): boolean {
  if (accepted === undefined) return false;
  if (accepted === 'gzip') return true;
  const weights = new Map(accepted.toLowerCase().split(',').map(weightOf));
  return (weights.get('gzip') ?? weights.get('x-gzip') ?? weights.get('*') ?? 0) > 0;
}

function weightOf(element: string): [coding: string, weight: number] {
  const [coding = '', ...parameters] = element.split(';').map((part) => part.trim());
  const weight = parameters.find((one) => one.startsWith('q='))?.slice(2);
  return [coding, weight === undefined ? 1 : Number(weight) || 0];
}

/** Compresses bodies; those that many ask for, which are the same object each time, only once. */
export class Compressor {
  readonly #known = new WeakMap<Buffer, Buffer | Promise<Buffer>>();

  compress(body: Buffer): Buffer | Promise<Buffer> {
    const known = this.#known.get(body);
    if (known !== undefined) return known;
    const compressed = body.length <= MOST_AT_ONCE ? gzipSync(body, FASTEST) : this.#beside(body);
    this.#known.set(body, compressed);
    return compressed;
  }

  #beside(body: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      gzip(body, FASTEST, (error, compressed) => {
        if (error !== null) return reject(error);
        this.#known.set(body, compressed);
        resolve(compressed);
      });
    });
  }
}
