import type { IncomingHttpHeaders } from 'node:http';
import type { AccessControl, Authority } from '../access/index.ts';
import { tokenOf } from './token-of.ts';

/** Where a request came from, as far as it says who asks. */
export interface CallerOrigin {
  readonly headers: IncomingHttpHeaders;
  /** Undefined for requests that came by no socket. */
  readonly remoteAddress: string | undefined;
}

/** Who asks: what they may, and their name for history. Looked up when first asked for. */
export class Caller {
  readonly #access: AccessControl;
  readonly #origin: CallerOrigin;
  #authority: Authority | undefined;

  constructor(access: AccessControl, origin: CallerOrigin) {
    this.#access = access;
    this.#origin = origin;
  }

  /** @throws ACCESS_UNKNOWN_TOKEN */
  get authority(): Authority {
    const secret = this.#access.isEnabled ? tokenOf(null, this.#origin.headers) : '';
    return (this.#authority ??= this.#access.authorityOf(secret));
  }

  /** Whether they may something even now, for answers that go on; false when the token is gone. */
  stillMay(...need: Parameters<Authority['allows']>): boolean {
    this.#authority = undefined;
    try {
      return this.authority.allows(...need);
    } catch {
      return false;
    }
  }

  get author(): string {
    return authorOf(this.authority, this.#origin.remoteAddress);
  }
}

/** How history names who asks: by their token, else by where they are. */
export function authorOf({ accessor }: Pick<Authority, 'accessor'>, remoteAddress: string | undefined): string {
  return accessor === '' ? `unnamed, from ${remoteAddress ?? 'this machine'}` : `token ${accessor}`;
}
