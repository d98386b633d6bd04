import { createPublicKey, generateKeyPairSync, randomBytes, sign, verify, type KeyObject } from 'node:crypto';

/** What a server proves: that it, and no other, answers this challenge of that other server. */
export interface PeerClaim {
  /** Random, made by the one that is to be convinced. */
  readonly nonce: string;
  /** Who proves, and which start of it. */
  readonly server: string;
  readonly incarnation: string;
  /** Whom it speaks to, so that nobody can pass the proof on. */
  readonly to: string;
  readonly toIncarnation: string;
}

/**
 * A server's key for its links, made anew with each start and never stored. Its public half stands in the server's record: who can
 * write `srv/` in the store is a server of the region, so nothing has to be configured.
 */
export class PeerKey {
  /** Of the server's record: SPKI, base64. */
  readonly publicKey: string;
  readonly #private: KeyObject;

  constructor() {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    this.publicKey = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    this.#private = privateKey;
  }

  prove(claim: PeerClaim): string {
    return sign(null, statementOf(claim), this.#private).toString('base64');
  }
}

/** Whether the proof was made with the key of which this is the public half; false for whatever is none. */
export function isProven(publicKey: string, claim: PeerClaim, proof: string): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' });
    return verify(null, statementOf(claim), key, Buffer.from(proof, 'base64'));
  } catch {
    return false;
  }
}

/** A nonce for one challenge. */
export function newNonce(): string {
  return randomBytes(32).toString('base64');
}

function statementOf({ nonce, server, incarnation, to, toIncarnation }: PeerClaim): Buffer {
  return Buffer.from(JSON.stringify(['drover link between servers', nonce, server, incarnation, to, toIncarnation]));
}
