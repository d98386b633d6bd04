import { execFile } from 'node:child_process';
import type { Certificates } from './certificates.ts';

/** What a member says of itself. */
export interface MemberStatus {
  readonly memberId: string;
  /** Of the member that it takes for the leader; "0" when it knows none. */
  readonly leaderId: string;
  readonly revision: number;
  readonly term: number;
}

/** How etcdctl reaches a cluster. */
export interface ControlAccess {
  readonly certificates: Certificates | null;
  /** `name:password`. */
  readonly user: string | null;
}

const TIMEOUT_MS = 3_000;
/** One that is cut off or stopped is waited for so long. */
const STATUS_MS = 1_000;

/** Runs etcdctl (version 3 of the API) against these endpoints. @throws with what it said when it failed */
export function etcdctl(
  access: ControlAccess,
  endpoints: readonly string[],
  words: readonly string[],
  timeoutMs: number = TIMEOUT_MS,
): Promise<string> {
  const tls = access.certificates;
  const options = [
    `--endpoints=${endpoints.map((one) => `${tls === null ? 'http' : 'https'}://${one}`).join(',')}`,
    ...(tls === null ? [] : [`--cacert=${tls.ca}`, `--cert=${tls.cert}`, `--key=${tls.key}`]),
    ...(access.user === null ? [] : [`--user=${access.user}`]),
    `--command-timeout=${timeoutMs}ms`,
    `--dial-timeout=${timeoutMs}ms`,
  ];
  const env = { ...process.env, ETCDCTL_API: '3' };
  return new Promise((resolve, reject) => {
    execFile(
      'etcdctl',
      [...options, ...words],
      { env, timeout: 5 * TIMEOUT_MS, maxBuffer: 2 ** 26 },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(`etcdctl ${words.join(' ')}: ${stderr || error.message}`, { cause: error }));
      },
    );
  });
}

/** A member's status; null when it does not answer. */
export async function memberStatus(access: ControlAccess, endpoint: string): Promise<MemberStatus | null> {
  const isOpen = access.certificates === null && access.user === null;
  try {
    const { header, leader = '0' } = isOpen ? await statusOverHttp(endpoint) : await statusOf(access, endpoint);
    return {
      memberId: header.member_id,
      leaderId: leader,
      revision: Number(header.revision),
      term: Number(header.raft_term),
    };
  } catch {
    return null;
  }
}

/** Without a process for each look: many members are looked at many times while a cluster heals. */
async function statusOverHttp(endpoint: string): Promise<StatusWire> {
  const signal = AbortSignal.timeout(STATUS_MS);
  const answer = await fetch(`http://${endpoint}/v3/maintenance/status`, { method: 'POST', body: '{}', signal });
  return JSON.parse(await answer.text()) as StatusWire;
}

async function statusOf(access: ControlAccess, endpoint: string): Promise<StatusWire> {
  const said = await etcdctl(access, [endpoint], ['endpoint', 'status', '-w', 'json'], STATUS_MS);
  const [found] = JSON.parse(quoteNumbers(said)) as [{ readonly Status: StatusWire }];
  return found.Status;
}

/** Identities have 64 bits: more than a number of JSON keeps. */
function quoteNumbers(json: string): string {
  return json.replaceAll(/:\s*(\d{10,})/g, ':"$1"');
}

interface StatusWire {
  readonly header: {
    readonly member_id: string;
    readonly revision: number | string;
    readonly raft_term: number | string;
  };
  readonly leader?: string;
}
