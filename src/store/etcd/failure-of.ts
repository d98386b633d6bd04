import { Code, ConnectError } from '@connectrpc/connect';
import { DroverError } from '../../lib/index.ts';
import { EtcdCallFailed, type EtcdFailureKind } from './client.ts';

/** What is known of a call besides how it failed. */
export interface CallContext {
  readonly endpoint: string;
  /** Nothing is lost when it is made again. */
  readonly isRead: boolean;
  /** Whoever made it ended it. */
  readonly isAborted: boolean;
}

/** The connection never was: nothing can have been sent. */
const NEVER_CONNECTED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
]);

/** OpenSSL's and Node's names for what is wrong with a certificate; alerts of the other side begin with ERR_SSL_. */
const OF_CERTIFICATES =
  /^(?:ERR_SSL_|ERR_TLS_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE)/;

/** The code by which TLS failed, when it did; from the error or one that caused it. */
export function certificateTrouble(error: unknown): string | undefined {
  return codesOf(error).find((code) => OF_CERTIFICATES.test(code));
}

/** Whether an answer says that the token is not taken (expired, or the member has started anew), so that a new one may help. */
export function isTokenTrouble(error: unknown): boolean {
  if (!(error instanceof ConnectError)) return false;
  return (
    error.code === Code.Unauthenticated || /invalid auth token|revision of auth store is old/.test(error.rawMessage)
  );
}

/**
 * What a failed call means. The outcome of a write is `none` only where etcd or the connection says so for certain; a leader lost on
 * the way, a deadline and a broken stream leave it unknown (such writes were seen to be applied after the quorum came back).
 */
export function failureOf(error: unknown, { endpoint, isRead, isAborted }: CallContext): EtcdCallFailed {
  if (error instanceof EtcdCallFailed) return error;
  const { kind, isCertain, why } = isAborted ? ABORTED : judge(error);
  const outcome = isRead || isCertain ? 'none' : 'unknown';
  return new EtcdCallFailed(kind, `etcd at ${endpoint}: ${why}`, { outcome, endpoint, cause: error });
}

interface Judgement {
  readonly kind: EtcdFailureKind;
  /** A write surely did not happen. */
  readonly isCertain: boolean;
  readonly why: string;
}

const ABORTED: Judgement = { kind: 'aborted', isCertain: false, why: 'the call was given up' };

function judge(error: unknown): Judgement {
  // A file of the settings that cannot be used, or a member of another cluster: nothing was sent.
  if (error instanceof DroverError) return { kind: 'denied', isCertain: true, why: error.message };
  const codes = codesOf(error);
  const certificate = certificateTrouble(error);
  if (certificate !== undefined)
    return { kind: 'denied', isCertain: true, why: `TLS failed: ${rootMessage(error)} (${certificate})` };
  const refused = codes.find((code) => NEVER_CONNECTED.has(code));
  if (refused !== undefined) return { kind: 'unavailable', isCertain: true, why: rootMessage(error) };
  if (!(error instanceof ConnectError)) return { kind: 'other', isCertain: false, why: rootMessage(error) };
  return ofStatus(error);
}

/** etcd 3.4 says the same thing with several codes: the text decides where it is known (api/v3rpc/rpctypes/error.go). */
const BY_TEXT: readonly (readonly [RegExp, EtcdFailureKind, isCertain: boolean])[] = [
  [/no leader/, 'unavailable', true],
  [/too many requests/, 'unavailable', true],
  [/has been compacted/, 'compacted', true],
  [/database space exceeded/, 'full', true],
  [/lease not found/, 'no-lease', true],
  [/authentication failed|auth(?:entication)? token|user name|permission denied|auth store/, 'denied', true],
  [/larger than max/, 'invalid', true],
  [/request timed out|context deadline exceeded|leader changed/, 'timeout', false],
];

const BY_CODE: ReadonlyMap<Code, readonly [EtcdFailureKind, isCertain: boolean]> = new Map([
  [Code.InvalidArgument, ['invalid', true]],
  [Code.DeadlineExceeded, ['timeout', false]],
  [Code.Unauthenticated, ['denied', true]],
  [Code.PermissionDenied, ['denied', true]],
  [Code.Unimplemented, ['other', true]],
  [Code.FailedPrecondition, ['other', true]],
  [Code.OutOfRange, ['other', true]],
  // A ping without pong, a member that stops, a stream that was reset: Unavailable, Canceled, Aborted or Internal.
  [Code.Unavailable, ['unavailable', false]],
  [Code.Canceled, ['unavailable', false]],
  [Code.Aborted, ['unavailable', false]],
  [Code.Internal, ['unavailable', false]],
]);

function ofStatus(error: ConnectError): Judgement {
  const text = error.rawMessage;
  const byText = BY_TEXT.find(([pattern]) => pattern.test(text));
  if (byText !== undefined) return { kind: byText[1], isCertain: byText[2], why: text };
  const [kind, isCertain] = BY_CODE.get(error.code) ?? ['other', false];
  return { kind, isCertain, why: text === '' ? (Code[error.code] ?? 'failed') : text };
}

function codesOf(error: unknown): string[] {
  return causesOf(error)
    .map((one) => (one as { code?: unknown }).code)
    .filter((code) => typeof code === 'string');
}

function rootMessage(error: unknown): string {
  const root = causesOf(error).at(-1);
  return root instanceof ConnectError ? root.rawMessage : (root?.message ?? String(error));
}

/** The error, what caused it, and so on; an error that causes itself ends it. */
function causesOf(error: unknown): Error[] {
  const causes: Error[] = [];
  for (let one = error; one instanceof Error && !causes.includes(one); one = one.cause) causes.push(one);
  return causes;
}
