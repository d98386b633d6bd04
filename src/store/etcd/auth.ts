import { Code, ConnectError } from '@connectrpc/connect';
import type { Clock } from '../../lib/index.ts';
import { readEtcdFile } from './secret-file.ts';
import type { Member } from './member.ts';
import type { EtcdSettings } from './settings.ts';

/** etcd's simple tokens last 5 minutes (--auth-token-ttl, 300 s): a new one is got before. */
const RENEW_AFTER_MS = 240_000;
const AUTHENTICATE_MS = 5000;

interface Token {
  readonly text: string;
  readonly sinceMs: number;
}

/**
 * The token of the configured user; none without a user. The password is read from its file each time one is got, and kept nowhere.
 */
export class Authentication {
  readonly #user: NonNullable<EtcdSettings['user']> | null;
  readonly #clock: Clock;
  readonly #report: (error: unknown) => void;
  #token: Token | null = null;
  #renewal: Promise<Token> | null = null;
  #hasWarned = false;

  constructor(options: {
    readonly user: EtcdSettings['user'];
    readonly clock: Clock;
    readonly report: (error: unknown) => void;
  }) {
    this.#user = options.user;
    this.#clock = options.clock;
    this.#report = options.report;
  }

  /** The metadata that says who calls; the token in it is got anew when it is about to expire. */
  async headers(member: Member): Promise<Record<string, string>> {
    if (this.#user === null) return {};
    const { text, sinceMs } = this.#token ?? (await this.#renew(member));
    // Ahead of time, and beside the call: the token that there is still holds.
    if (this.#clock.now() - sinceMs > RENEW_AFTER_MS)
      void this.#renew(member).catch((error: unknown) => this.#report(error));
    return text === '' ? {} : { token: text };
  }

  /** Forgets the token that a call was refused with, unless another call has got a new one since. False where none was used. */
  refused(headers: Record<string, string>): boolean {
    if (headers['token'] === undefined) return false;
    if (this.#token?.text === headers['token']) this.#token = null;
    return true;
  }

  /** Calls that need a token at the same time share one. */
  async #renew(member: Member): Promise<Token> {
    this.#renewal ??= this.#authenticate(member).finally(() => (this.#renewal = null));
    return (this.#token = await this.#renewal);
  }

  async #authenticate(member: Member): Promise<Token> {
    const { name, passwordFile } = this.#user as NonNullable<EtcdSettings['user']>;
    const password = (await readEtcdFile(passwordFile, 'the password for etcd', true))
      .toString('utf8')
      .replace(/\r?\n$/, '');
    const sinceMs = this.#clock.now();
    try {
      const { token } = await member.auth.authenticate({ name, password }, { timeoutMs: AUTHENTICATE_MS });
      return { text: token, sinceMs };
    } catch (error) {
      if (!isWithoutAuthentication(error)) throw error;
      this.#warn(name);
      return { text: '', sinceMs };
    }
  }

  #warn(name: string): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    this.#report(new Error(`etcd has no authentication switched on: user ${name} is not used`));
  }
}

function isWithoutAuthentication(error: unknown): boolean {
  return (
    error instanceof ConnectError &&
    error.code === Code.FailedPrecondition &&
    error.rawMessage.includes('authentication is not enabled')
  );
}
