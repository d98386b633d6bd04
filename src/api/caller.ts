import type { IncomingHttpHeaders } from 'node:http';
import type { AccessControl, Authority } from '../access/index.ts';
import { FOR_HEADER, NODE_HEADER } from './forward/forward-headers.ts';
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

  /** Their token, to ask another server with; empty for none. */
  get secret(): string {
    return tokenOf(null, this.#origin.headers);
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

  /** The node for whose agent the request was handed on; undefined for one that came by itself. */
  get node(): string | undefined {
    return nodeOfAgent(this.#origin.headers);
  }

  get author(): string {
    return authorOf(this.authority, this.#origin);
  }
}

/** How history names who asks: by their token, else by where they are. */
export function authorOf({ accessor }: Pick<Authority, 'accessor'>, { headers, remoteAddress }: CallerOrigin): string {
  if (accessor !== '') return `token ${accessor}`;
  const [of, at] = [headers[FOR_HEADER.toLowerCase()], headers[NODE_HEADER.toLowerCase()]];
  const from = remoteAddress ?? 'this machine';
  // An agent says for whom it asks; who is no agent can say so too, and is shown with the address that it came from.
  return `unnamed, from ${typeof of === 'string' && typeof at === 'string' ? `${said(of)} at ${said(at)} (${from})` : from}`;
}

const MOST_SAID = 128;

function said(text: string): string {
  return text.slice(0, MOST_SAID).replaceAll(/[^\x20-\x7e]/g, '?');
}

/** The node for whose agent a request was handed on; undefined for one that came by itself. */
export function nodeOfAgent(headers: IncomingHttpHeaders): string | undefined {
  const node = headers[NODE_HEADER.toLowerCase()];
  return typeof node === 'string' && node !== '' ? node : undefined;
}
