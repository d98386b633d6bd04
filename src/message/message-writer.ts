import { messageTooLong } from './errors.ts';
import type { Labels } from './name.ts';
import { foldCase, parseName } from './name.ts';
import { MAX_MESSAGE_OCTETS } from './numbers.ts';

/** Pointers have 14 bits: what stands beyond cannot be pointed at (RFC 1035 4.1.4). */
export const MAX_POINTER = 0x3fff;

/** A compression pointer: where it stands in the message, and where it leads to. */
export interface NamePointer {
  readonly at: number;
  readonly to: number;
}

/** Writes a message into one growing buffer, names compressed against those written before when `compress` is set. */
export class MessageWriter {
  #buffer: Buffer = Buffer.allocUnsafe(512);
  #length = 0;
  readonly #compress: boolean;
  readonly #mostOctets: number;
  /** Where each name and each of its endings stands, by its labels in lower case from the right. */
  readonly #offsets = new Map<string, number>();
  readonly #pointers: NamePointer[] = [];
  /** Where whole names stand, by their text: most names of an answer occur again and again. */
  readonly #texts = new Map<string, number>();

  /** `mostOctets`: 65,535 unless told, what a message may have. */
  constructor(options: { readonly compress: boolean; readonly mostOctets?: number }) {
    this.#compress = options.compress;
    this.#mostOctets = options.mostOctets ?? MAX_MESSAGE_OCTETS;
  }

  /** The compression pointers that were written, in order. */
  get pointers(): readonly NamePointer[] {
    return this.#pointers;
  }

  /** Octets written so far. */
  get length(): number {
    return this.#length;
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  u16(value: number): void {
    this.#reserve(2);
    this.#length = this.#buffer.writeUInt16BE(value, this.#length);
  }

  u32(value: number): void {
    this.#reserve(4);
    this.#length = this.#buffer.writeUInt32BE(value, this.#length);
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Overwrites 16 bits that were written before. */
  patchU16(offset: number, value: number): void {
    this.#buffer.writeUInt16BE(value, offset);
  }

  /**
   * Writes a name in presentation form, as `name` does its labels.
   *
   * @throws MESSAGE_BAD_NAME
   */
  text(text: string, options: { readonly compress: boolean } = { compress: true }): void {
    const known = options.compress ? this.#texts.get(text) : undefined;
    if (known !== undefined) return this.#pointer(known);
    const labels = parseName(text);
    if (this.#compress && labels.length > 0 && this.#length <= MAX_POINTER) this.#texts.set(text, this.#length);
    this.name(labels, options);
  }

  #pointer(to: number): void {
    this.#pointers.push({ at: this.#length, to });
    this.u16(0xc000 | to);
  }

  /**
   * Writes a name. With `{ compress: false }` it is spelled out, as RFC 2782 wants of SRV targets and RFC 3597 4 of every
   * newer type; later names may point into it all the same.
   */
  name(labels: Labels, options: { readonly compress: boolean } = { compress: true }): void {
    const keys = this.#compress ? endings(labels) : [];
    for (const [index, label] of labels.entries()) {
      const key = keys[index];
      const known = key === undefined ? undefined : this.#offsets.get(key);
      if (known !== undefined && options.compress) return this.#pointer(known);
      if (key !== undefined && known === undefined && this.#length <= MAX_POINTER) this.#offsets.set(key, this.#length);
      this.#label(label);
    }
    this.u8(0);
  }

  #label(octets: string): void {
    this.#reserve(1 + octets.length);
    this.#buffer[this.#length] = octets.length;
    this.#buffer.write(octets, this.#length + 1, 'latin1');
    this.#length += 1 + octets.length;
  }

  /** What was written, as a copy of its own. */
  take(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#buffer.subarray(0, this.#length));
  }

  #reserve(octets: number): void {
    const wanted = this.#length + octets;
    if (wanted > this.#mostOctets) throw messageTooLong(this.#mostOctets);
    if (wanted <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(wanted, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}

/** A key for each ending of a name, the whole name first; lengths are part of it, as labels may hold any octet. */
function endings(labels: Labels): string[] {
  const keys: string[] = [];
  let key = '';
  for (const label of labels.toReversed()) {
    key = `${String.fromCharCode(label.length)}${foldCase(label)}${key}`;
    keys.push(key);
  }
  return keys.reverse();
}
