import { dockerAnswerUnreadable } from './errors.ts';

const HEADER_BYTES = 8;
const STREAMS = ['stdin', 'stdout', 'stderr'] as const;

/** A piece of what a program in a container wrote. */
export interface DockerOutput {
  readonly stream: (typeof STREAMS)[number];
  readonly bytes: Buffer;
}

/**
 * Takes the engine's stream without a terminal apart: frames of one byte for the stream, three of nothing, four of the length.
 * Frames are passed on in pieces as they come, never collected, so that a frame of any length takes no memory.
 */
export class Demultiplexer {
  #header = Buffer.alloc(0);
  #left = 0;
  #stream: DockerOutput['stream'] = 'stdout';

  /** What a chunk brings. @throws DOCKER_ANSWER_UNREADABLE for what is no such stream */
  push(chunk: Buffer): DockerOutput[] {
    const found: DockerOutput[] = [];
    for (let rest = chunk; rest.length > 0;) {
      if (this.#left === 0) rest = this.#readHeader(rest);
      const bytes = rest.subarray(0, this.#left);
      if (bytes.length > 0) found.push({ stream: this.#stream, bytes });
      this.#left -= bytes.length;
      rest = rest.subarray(bytes.length);
    }
    return found;
  }

  /** Whether the stream may end here: not within a frame. */
  get isWhole(): boolean {
    return this.#left === 0 && this.#header.length === 0;
  }

  #readHeader(chunk: Buffer): Buffer {
    const missing = HEADER_BYTES - this.#header.length;
    const header = Buffer.concat([this.#header, chunk.subarray(0, missing)]);
    const rest = chunk.subarray(missing);
    this.#header = header;
    if (header.length < HEADER_BYTES) return rest;
    const stream = STREAMS[header[0] as number];
    if (stream === undefined) throw dockerAnswerUnreadable(`stream ${header[0]} is not known`);
    this.#stream = stream;
    this.#left = header.readUInt32BE(4);
    this.#header = Buffer.alloc(0);
    return rest;
  }
}
