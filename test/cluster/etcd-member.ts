import path from 'node:path';
import type { Certificates } from './certificates.ts';
import { GuardedProcess } from './guarded-process.ts';
import type { Place } from './line.ts';

/** One member: where it listens, and where it says that it does (the ends of its lines, where it has some). */
export interface MemberPlan {
  readonly name: string;
  readonly client: Place;
  readonly peer: Place;
  readonly advertisedClient: Place;
  readonly advertisedPeer: Place;
}

/** What all members of a cluster share. */
export interface ClusterPlan {
  readonly program: string;
  readonly folder: string;
  readonly members: readonly MemberPlan[];
  readonly certificates: Certificates | null;
  readonly flags: readonly string[];
}

/** `host:port`. */
export function written({ host, port }: Place): string {
  return `${host}:${port}`;
}

/** Elections are fast: tests wait for them. The number of operations is what `--store etcd://` asks for at most. */
const SHARED = [
  '--heartbeat-interval=50',
  '--election-timeout=500',
  '--max-txn-ops=512',
  '--logger=zap',
  '--log-level=warn',
];

/** The words of its command line. */
export function memberWords(plan: ClusterPlan, member: MemberPlan): readonly string[] {
  const scheme = plan.certificates === null ? 'http' : 'https';
  const url = (place: Place): string => `${scheme}://${written(place)}`;
  const all = plan.members.map(({ name, advertisedPeer }) => `${name}=${url(advertisedPeer)}`);
  return [
    `--name=${member.name}`,
    `--data-dir=${path.join(plan.folder, member.name)}`,
    `--listen-client-urls=${url(member.client)}`,
    `--advertise-client-urls=${url(member.advertisedClient)}`,
    `--listen-peer-urls=${url(member.peer)}`,
    `--initial-advertise-peer-urls=${url(member.advertisedPeer)}`,
    `--initial-cluster=${all.join(',')}`,
    `--initial-cluster-token=${path.basename(plan.folder)}`,
    ...SHARED,
    ...tlsWords(plan.certificates),
    ...plan.flags,
  ];
}

/** Starts its process, on the data that it has. */
export function startMember(plan: ClusterPlan, member: MemberPlan): GuardedProcess {
  return GuardedProcess.start({
    program: plan.program,
    words: memberWords(plan, member),
    cwd: plan.folder,
    removes: plan.folder,
  });
}

function tlsWords(certificates: Certificates | null): readonly string[] {
  if (certificates === null) return [];
  const { ca, serverCert, serverKey } = certificates;
  return ['', 'peer-'].flatMap((prefix) => [
    `--${prefix}client-cert-auth`,
    `--${prefix}trusted-ca-file=${ca}`,
    `--${prefix}cert-file=${serverCert}`,
    `--${prefix}key-file=${serverKey}`,
  ]);
}
