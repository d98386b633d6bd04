import { Code, ConnectError } from '@connectrpc/connect';
import type { Clock } from '../../lib/index.ts';
import { EtcdCallFailed, type WatchRequestInit } from './client.ts';
import type { WatchResponse } from './generated/rpc_pb.ts';
import type { CallPlan, MemberCalls } from './member-calls.ts';

const WATCH: CallPlan = { isRead: true, needsLeader: true };
/** A member that is stopped takes the stream and says nothing. */
const CREATED_WITHIN_MS = 5000;

/**
 * One watch at one member; ends quietly only when `signal` is aborted. A member that dies ends its streams as if they had been given
 * up here (code CANCELED), or without any error.
 */
export async function* watchMember(
  calls: MemberCalls,
  clock: Clock,
  request: WatchRequestInit,
  signal: AbortSignal,
): AsyncGenerator<WatchResponse> {
  let attempt;
  try {
    attempt = await calls.begin(WATCH, signal, clock.now() + CREATED_WITHIN_MS);
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }
  const { member } = attempt;
  const stream = new AbortController();
  const over = AbortSignal.any([signal, member.lost, stream.signal]);
  const silence = clock.after(CREATED_WITHIN_MS, () => stream.abort());
  try {
    const client = await member.watches();
    for await (const response of client.watch(open(request, over), { signal: over, headers: attempt.headers })) {
      silence.cancel();
      if (isRefused(response)) throw new ConnectError(response.cancelReason, Code.Unauthenticated);
      calls.succeeded(attempt);
      yield response;
    }
    throw endOf(member.endpoint, 'the watch ended');
  } catch (error) {
    if (signal.aborted) return;
    const failed = calls.failed(
      attempt,
      stream.signal.aborted ? endOf(member.endpoint, 'no answer to a watch') : error,
    );
    calls.renew(attempt, error);
    throw failed;
  } finally {
    silence.cancel();
    stream.abort();
  }
}

/** A watch with an expired token is refused in the stream, as if its user might not read. */
function isRefused({ canceled, cancelReason }: WatchResponse): boolean {
  return canceled && /permission denied|auth token/.test(cancelReason);
}

/** The one request, on a stream that stays open. */
async function* open(request: WatchRequestInit, signal: AbortSignal) {
  yield { requestUnion: { case: 'createRequest' as const, value: request } };
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function endOf(endpoint: string, why: string): EtcdCallFailed {
  return new EtcdCallFailed('unavailable', `etcd at ${endpoint}: ${why}`, { outcome: 'none', endpoint });
}
