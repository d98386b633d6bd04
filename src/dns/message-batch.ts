import type { SystemCalls } from './system-calls.ts';

/** Datagrams taken or given in one system call. */
export const BATCH = 64;
/** Longer queries are cut, and then refused as malformed: no honest one is. */
const QUERY_OCTETS = 2_048;
const ANSWER_OCTETS = 4_096;
const MOST_ANSWER_OCTETS = 65_535;
/** Room for the address of a peer: `sockaddr_in6` has 28 octets. */
const PEER_OCTETS = 32;
/** `struct iovec` and `struct mmsghdr` on 64-bit Linux; positions in 32-bit words. */
const IOVEC_OCTETS = 16;
const HEADER_OCTETS = 64;
const HEADER_WORDS = HEADER_OCTETS / 4;
const PEER_LENGTH_WORD = 2;
const MESSAGE_LENGTH_WORD = 14;
const MSG_DONTWAIT = 0x40;

/**
 * Memory for a batch of datagrams each way, laid out as recvmmsg(2) and sendmmsg(2) want it. C knows this memory by address
 * only: it lives as long as this object, which its socket must hold while it is open.
 */
export class MessageBatch {
  readonly #calls: SystemCalls;
  readonly #fd: number;
  readonly #queries = Buffer.from(new ArrayBuffer(BATCH * QUERY_OCTETS));
  readonly #answers = Buffer.from(new ArrayBuffer(BATCH * ANSWER_OCTETS));
  readonly #long = Buffer.from(new ArrayBuffer(MOST_ANSWER_OCTETS));
  readonly #peers = new ArrayBuffer(BATCH * PEER_OCTETS);
  readonly #vectors: { readonly received: BigUint64Array<ArrayBuffer>; readonly sent: BigUint64Array<ArrayBuffer> };
  readonly #received = new ArrayBuffer(BATCH * HEADER_OCTETS);
  readonly #sent = new ArrayBuffer(BATCH * HEADER_OCTETS);
  readonly #receivedWords = new Uint32Array(this.#received);
  readonly #sentWords = new Uint32Array(this.#sent);
  readonly #sentPointers = new BigUint64Array(this.#sent);
  readonly #at: {
    readonly received: bigint;
    readonly sent: bigint;
    readonly peers: bigint;
    readonly answers: bigint;
    readonly long: bigint;
  };
  readonly #peer: SlotPeer;
  #waiting = 0;

  constructor(calls: SystemCalls, fd: number) {
    this.#calls = calls;
    this.#fd = fd;
    this.#peer = new SlotPeer(Buffer.from(this.#peers));
    const vector = (): BigUint64Array<ArrayBuffer> => new BigUint64Array(new ArrayBuffer(BATCH * IOVEC_OCTETS));
    this.#vectors = { received: vector(), sent: vector() };
    const at = (memory: ArrayBuffer): bigint => calls.pointerTo(memory);
    this.#at = {
      received: at(this.#received),
      sent: at(this.#sent),
      peers: at(this.#peers),
      answers: at(this.#answers.buffer),
      long: at(this.#long.buffer),
    };
    const queries = at(this.#queries.buffer);
    const vectors = { received: at(this.#vectors.received.buffer), sent: at(this.#vectors.sent.buffer) };
    const received = new BigUint64Array(this.#received);
    for (let slot = 0; slot < BATCH; slot++) {
      this.#vectors.received[slot * 2] = queries + BigInt(slot * QUERY_OCTETS);
      this.#vectors.received[slot * 2 + 1] = BigInt(QUERY_OCTETS);
      this.#vectors.sent[slot * 2] = this.#at.answers + BigInt(slot * ANSWER_OCTETS);
      this.#header(received, slot, vectors.received);
      this.#header(this.#sentPointers, slot, vectors.sent);
    }
  }

  #header(headers: BigUint64Array, slot: number, vectors: bigint): void {
    headers[slot * 8] = this.#peerAt(slot);
    headers[slot * 8 + 2] = vectors + BigInt(slot * IOVEC_OCTETS);
    headers[slot * 8 + 3] = 1n;
  }

  #peerAt(slot: number): bigint {
    return this.#at.peers + BigInt(slot * PEER_OCTETS);
  }

  /** Takes the datagrams that wait, {@link BATCH} at most, without waiting for any; how many there were. */
  receive(): number {
    for (let slot = 0; slot < BATCH; slot++) this.#receivedWords[slot * HEADER_WORDS + PEER_LENGTH_WORD] = PEER_OCTETS;
    return Math.max(0, this.#calls.recvmmsg(this.#fd, this.#at.received, BATCH, MSG_DONTWAIT, 0n));
  }

  /** The datagram in a slot; its octets are good until the next `receive`. */
  query(slot: number): Buffer {
    const length = this.#receivedWords[slot * HEADER_WORDS + MESSAGE_LENGTH_WORD] as number;
    return this.#queries.subarray(slot * QUERY_OCTETS, slot * QUERY_OCTETS + length);
  }

  /** The sender of the datagram in a slot: the same object each time, good until the next call. */
  peer(slot: number): SlotPeer {
    this.#peer.slot = slot;
    return this.#peer;
  }

  /** Puts an answer to the sender of the datagram in `slot` with those that `flush` sends. */
  put(slot: number, answer: Uint8Array): void {
    const place = this.#waiting;
    if (answer.length > ANSWER_OCTETS) return this.#sendLong(slot, answer);
    this.#answers.set(answer, place * ANSWER_OCTETS);
    this.#address(place, slot, answer.length);
    this.#waiting++;
  }

  #address(place: number, slot: number, length: number): void {
    this.#sentPointers[place * 8] = this.#peerAt(slot);
    const peerLength = this.#receivedWords[slot * HEADER_WORDS + PEER_LENGTH_WORD] as number;
    this.#sentWords[place * HEADER_WORDS + PEER_LENGTH_WORD] = peerLength;
    this.#vectors.sent[place * 2 + 1] = BigInt(length);
  }

  #sendLong(slot: number, answer: Uint8Array): void {
    this.flush();
    this.#long.set(answer);
    this.#vectors.sent[0] = this.#at.long;
    this.#address(0, slot, answer.length);
    this.#waiting = 1;
    this.flush();
    this.#vectors.sent[0] = this.#at.answers;
  }

  /** Sends what was put. A datagram that the system refuses is left out: its asker asks again. */
  flush(): void {
    const count = this.#waiting;
    this.#waiting = 0;
    for (let done = 0; done < count;) {
      const from = this.#at.sent + BigInt(done * HEADER_OCTETS);
      done += Math.max(1, this.#calls.sendmmsg(this.#fd, from, count - done, 0));
    }
  }
}

/** A sender read out of its `sockaddr_in` only when somebody wants to know. */
class SlotPeer {
  slot = 0;
  readonly #peers: Buffer;

  constructor(peers: Buffer) {
    this.#peers = peers;
  }

  get port(): number {
    return this.#peers.readUInt16BE(this.slot * PEER_OCTETS + 2);
  }

  get address(): string {
    const at = this.slot * PEER_OCTETS + 4;
    return this.#peers.subarray(at, at + 4).join('.');
  }
}
