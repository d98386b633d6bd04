import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { AccessControl, Authority } from '../../access/index.ts';
import { authorOf } from '../caller.ts';
import { tokenOf } from '../token-of.ts';
import type { V1Request } from './exchange.ts';
import { textOfBytes } from './percent.ts';
import type { KeptForUrl, ParsedUrl } from './parsed-url.ts';
import type { Query } from './query.ts';

const NO_BODY = Buffer.alloc(0);

/** What came, and who judges whether it may. */
export interface Asked {
  readonly request: Pick<IncomingMessage, 'headers'> & { readonly socket: IncomingMessage['socket'] | null };
  /** What says that nobody waits for the answer any more: what it goes to, or the signal of who asked. */
  readonly asker: ServerResponse | AbortSignal;
  readonly access: AccessControl;
}

/** A request from Node's own, read as far as it is asked for. */
export class Incoming implements V1Request {
  readonly argumentBytes: string;
  readonly query: Query;
  readonly kept: KeptForUrl;
  readonly headers: IncomingHttpHeaders;
  readonly #asker: ServerResponse | AbortSignal;
  #body: Buffer = NO_BODY;
  #signal: AbortSignal | undefined;
  #authority: Authority | undefined;
  #hasWaited = false;
  readonly #access: AccessControl;
  readonly #remoteAddress: string | undefined;

  constructor({ request, asker, access }: Asked, argumentBytes: string, url: ParsedUrl) {
    this.#access = access;
    this.#remoteAddress = request.socket?.remoteAddress;
    this.argumentBytes = argumentBytes;
    this.query = url.query;
    this.kept = url.kept;
    this.headers = request.headers;
    this.#asker = asker;
  }

  withBody(body: Buffer): this {
    this.#body = body;
    return this;
  }

  get body(): Buffer {
    return this.#body;
  }

  get argument(): string {
    return textOfBytes(this.argumentBytes);
  }

  get hasToken(): boolean {
    return tokenOf(this.query.get('token'), this.headers) !== '';
  }

  get authority(): Authority {
    return (this.#authority ??= this.#lookUp());
  }

  /**
   * Looks the token up anew, for an answer that was waited for. True when it may something else than before.
   *
   * @throws ACCESS_UNKNOWN_TOKEN when it is gone
   */
  renew(): boolean {
    const before = this.#authority;
    if (before === undefined || !this.#access.isEnabled) return false;
    this.#authority = this.#lookUp();
    const isOther = this.#authority.id !== before.id;
    if (isOther) this.#hasWaited = true;
    return isOther;
  }

  get hasWaited(): boolean {
    return this.#hasWaited;
  }

  stillMay(...need: Parameters<Authority['allows']>): boolean {
    try {
      this.renew();
      return this.authority.allows(...need);
    } catch {
      return false;
    }
  }

  #lookUp(): Authority {
    return this.#access.authorityOf(this.#access.isEnabled ? tokenOf(this.query.get('token'), this.headers) : '');
  }

  get remoteAddress(): string {
    return this.#remoteAddress ?? '';
  }

  get author(): string {
    return authorOf(this.authority, { headers: this.headers, remoteAddress: this.#remoteAddress });
  }

  /** Whether the signal was asked for and is aborted. */
  get isGone(): boolean {
    return this.#signal?.aborted === true;
  }

  get signal(): AbortSignal {
    return (this.#signal ??= this.#asker instanceof AbortSignal ? this.#asker : signalOf(this.#asker));
  }
}

/** Aborted when the client is gone. */
function signalOf(response: ServerResponse): AbortSignal {
  const abort = new AbortController();
  const gone = (): void => abort.abort(new Error('the client is gone'));
  if (response.destroyed || response.socket?.destroyed === true) gone();
  else response.once('close', gone);
  return abort.signal;
}
