/** Random numbers in [0, 1) that are the same for the same seed, so that a failure can be repeated (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Octets that look more or less like a query: some random throughout, some with a sound header, some with compression
 * pointers, loops among them, where the question stands, some a sound query with a few octets changed.
 */
export function randomPacket(random: () => number, sound: readonly Uint8Array[]): Uint8Array {
  const below = (most: number): number => Math.floor(random() * most);
  const kind = below(4);
  if (kind === 0) return octets(below(200), () => below(256));
  if (kind === 1)
    return withHeader(
      octets(12 + below(100), () => below(256)),
      below,
    );
  if (kind === 2)
    return withHeader(
      octets(13 + below(40), () => (below(3) === 0 ? 0xc0 : below(40))),
      below,
    );
  const query = Uint8Array.from(sound[below(sound.length)] as Uint8Array);
  for (let changes = 1 + below(4); changes > 0; changes--) query[below(query.length)] = below(256);
  return query.subarray(0, below(4) === 0 ? below(query.length) : query.length);
}

function withHeader(bytes: Uint8Array, below: (most: number) => number): Uint8Array {
  bytes.set([below(256), below(256), 1, 0, 0, 1, 0, 0, 0, 0, 0, below(3)], 0);
  return bytes;
}

function octets(length: number, next: () => number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) bytes[at] = next();
  return bytes;
}
