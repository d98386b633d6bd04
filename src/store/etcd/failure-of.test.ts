import { Code, ConnectError } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import { etcdFile } from '../errors.ts';
import { EtcdCallFailed } from './client.ts';
import { certificateTrouble, failureOf, isTokenTrouble } from './failure-of.ts';
import { troubleOf } from './trouble-of.ts';

const WRITE = { endpoint: 'h:1', isRead: false, isAborted: false };
const SETTINGS = { endpoints: ['h:1', 'h:2'], tls: null, user: null };

function caused(code: string, message = 'it broke'): ConnectError {
  const cause = Object.assign(new Error(message), { code });
  return new ConnectError(message, Code.Unavailable, undefined, undefined, cause);
}

describe('failureOf()', () => {
  const cases: [what: string, error: unknown, kind: string, outcome: string][] = [
    ['nobody listens', caused('ECONNREFUSED'), 'unavailable', 'none'],
    ['the name is not known', caused('ENOTFOUND'), 'unavailable', 'none'],
    ['the certificate is not trusted', caused('SELF_SIGNED_CERT_IN_CHAIN'), 'denied', 'none'],
    ['the certificate is of another host', caused('ERR_TLS_CERT_ALTNAME_INVALID'), 'denied', 'none'],
    ['etcd wants a certificate', caused('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'), 'denied', 'none'],
    ['the connection breaks', caused('ECONNRESET'), 'unavailable', 'unknown'],
    ['the member was killed', new ConnectError('stream closed with CANCEL', Code.Canceled), 'unavailable', 'unknown'],
    ['a ping has no pong', new ConnectError('PING timed out', Code.Unavailable), 'unavailable', 'unknown'],
    [
      'etcd was pinged too often',
      new ConnectError('Session closed with error code 11', Code.Internal),
      'unavailable',
      'unknown',
    ],
    ['the deadline passes here', new ConnectError('timed out', Code.DeadlineExceeded), 'timeout', 'unknown'],
    ['the deadline passes there', new ConnectError('context deadline exceeded', Code.Unknown), 'timeout', 'unknown'],
    [
      'the quorum does not answer',
      new ConnectError('etcdserver: request timed out', Code.Unavailable),
      'timeout',
      'unknown',
    ],
    ['the leader changes', new ConnectError('etcdserver: leader changed', Code.Unavailable), 'timeout', 'unknown'],
    ['there is no leader', new ConnectError('etcdserver: no leader', Code.Unavailable), 'unavailable', 'none'],
    [
      'etcd has too much to do',
      new ConnectError('etcdserver: too many requests', Code.ResourceExhausted),
      'unavailable',
      'none',
    ],
    [
      'etcd is full',
      new ConnectError('etcdserver: mvcc: database space exceeded', Code.ResourceExhausted),
      'full',
      'none',
    ],
    [
      'it is compacted',
      new ConnectError('etcdserver: mvcc: required revision has been compacted', Code.OutOfRange),
      'compacted',
      'none',
    ],
    [
      'there are too many operations',
      new ConnectError('etcdserver: too many operations in txn request', Code.InvalidArgument),
      'invalid',
      'none',
    ],
    [
      'it is too large',
      new ConnectError('grpc: received message larger than max', Code.ResourceExhausted),
      'invalid',
      'none',
    ],
    [
      'the password is wrong',
      new ConnectError('etcdserver: authentication failed, invalid user ID or password', Code.InvalidArgument),
      'denied',
      'none',
    ],
    ['no user is given', new ConnectError('etcdserver: user name is empty', Code.InvalidArgument), 'denied', 'none'],
    [
      'the token has expired',
      new ConnectError('etcdserver: invalid auth token', Code.Unauthenticated),
      'denied',
      'none',
    ],
    ['the user may not', new ConnectError('etcdserver: permission denied', Code.PermissionDenied), 'denied', 'none'],
    ['the lease is gone', new ConnectError('etcdserver: requested lease not found', Code.NotFound), 'no-lease', 'none'],
    ['it is something else', new Error('boom'), 'other', 'unknown'],
    ['a file cannot be read', etcdFile('the key', '/k', 'no'), 'denied', 'none'],
  ];
  test.each(cases)('when %s', (_, error, kind, outcome) => {
    const failed = failureOf(error, WRITE);
    expect(failed).toMatchObject({ kind, outcome, endpoint: 'h:1', cause: error });
    expect(failed.message).toMatch(/^etcd at h:1: ./);
    expect(failureOf(error, { ...WRITE, isRead: true })).toMatchObject({ kind, outcome: 'none' });
  });

  test('is what it was when it is asked twice', () => {
    const failed = failureOf(new Error('x'), WRITE);
    expect(failureOf(failed, WRITE)).toBe(failed);
  });

  test('leaves open what became of a write that was given up', () => {
    const error = new ConnectError('aborted', Code.Canceled);
    expect(failureOf(error, { ...WRITE, isAborted: true })).toMatchObject({ kind: 'aborted', outcome: 'unknown' });
  });

  test('ends for an error that causes itself', () => {
    const error = new Error('round');
    error.cause = error;
    expect(failureOf(error, WRITE).kind).toBe('other');
  });
});

test('isTokenTrouble() is true for what a new token may mend', () => {
  expect(isTokenTrouble(new ConnectError('etcdserver: invalid auth token', Code.Unauthenticated))).toBe(true);
  expect(isTokenTrouble(new ConnectError('etcdserver: revision of auth store is old', Code.InvalidArgument))).toBe(
    true,
  );
  expect(isTokenTrouble(new ConnectError('etcdserver: permission denied', Code.PermissionDenied))).toBe(false);
  expect(isTokenTrouble(new Error('invalid auth token'))).toBe(false);
});

test('certificateTrouble() finds the code in what caused an error', () => {
  expect(certificateTrouble(caused('CERT_HAS_EXPIRED'))).toBe('CERT_HAS_EXPIRED');
  expect(certificateTrouble(caused('ECONNREFUSED'))).toBeUndefined();
});

describe('troubleOf()', () => {
  const tls = { caFile: '/ca', certFile: '/cert', keyFile: '/key' };
  const user = { name: 'drover', passwordFile: '/password' };
  const cases: [error: unknown, settings: object, code: string, text: RegExp][] = [
    [caused('ECONNREFUSED'), {}, 'STORE_ETCD_UNREACHABLE', /h:1, h:2.*it broke.*etcd\.ca_file/],
    [new ConnectError('read ECONNRESET', Code.Unavailable), {}, 'STORE_ETCD_UNREACHABLE', /wants TLS: .*etcd\.ca_file/],
    [new ConnectError('read ECONNRESET', Code.Unavailable), { tls }, 'STORE_ETCD_UNREACHABLE', /: read ECONNRESET/],
    [new ConnectError('etcdserver: request timed out', Code.Unavailable), {}, 'STORE_ETCD_UNREACHABLE', /timed out/],
    [caused('CERT_HAS_EXPIRED'), { tls }, 'STORE_ETCD_TLS', /h:1.*\/ca.*\/cert/],
    [caused('ERR_SSL_X'), { tls: { ...tls, certFile: null } }, 'STORE_ETCD_TLS', /no certificate of its own/],
    [
      new ConnectError('etcdserver: permission denied', Code.PermissionDenied),
      { user },
      'STORE_ETCD_DENIED',
      /drover.*\/password/,
    ],
    [
      new ConnectError('etcdserver: permission denied', Code.PermissionDenied),
      { tls },
      'STORE_ETCD_DENIED',
      /certificate \/cert/,
    ],
    [new ConnectError('etcdserver: user name is empty', Code.InvalidArgument), {}, 'STORE_ETCD_DENIED', /without user/],
    [etcdFile('the key', '/k', 'no'), {}, 'STORE_ETCD_FILE', /\/k/],
  ];
  test.each(cases)('%s', (error, settings, code, text) => {
    const trouble = troubleOf(failureOf(error, WRITE), { ...SETTINGS, ...settings });
    expect(trouble?.code).toBe(code);
    expect(`${trouble?.message} ${trouble?.hint}`).toMatch(text);
  });

  test('has nothing to say of an answer', () => {
    const failed = new EtcdCallFailed('compacted', 'x', { outcome: 'none', endpoint: 'h:1' });
    expect(troubleOf(failed, SETTINGS)).toBeNull();
  });
});
