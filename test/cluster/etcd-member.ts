import path from 'node:path';
import type { Certificates } from './certificates.ts';
import { GuardedProcess } from './guarded-process.ts';
import { written, type Entrance, type Place, type Site } from './ground.ts';

/** One member: where it stands, listens and is reached. */
export interface MemberPlan {
  readonly site: Site;
  readonly client: Entrance;
  readonly peer: Entrance;
}

/** What all members of a cluster share. */
export interface ClusterPlan {
  readonly program: string;
  readonly folder: string;
  readonly members: readonly MemberPlan[];
  readonly certificates: Certificates | null;
  readonly flags: readonly string[];
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
  const all = plan.members.map(({ site, peer }) => `${site.name}=${url(peer.reached)}`);
  return [
    `--name=${member.site.name}`,
    `--data-dir=${path.join(plan.folder, member.site.name)}`,
    `--listen-client-urls=${url(member.client.listen)}`,
    `--advertise-client-urls=${url(member.client.reached)}`,
    `--listen-peer-urls=${url(member.peer.listen)}`,
    `--initial-advertise-peer-urls=${url(member.peer.reached)}`,
    `--initial-cluster=${all.join(',')}`,
    `--initial-cluster-token=${path.basename(plan.folder)}`,
    ...SHARED,
    ...tlsWords(plan.certificates),
    ...plan.flags,
  ];
}

/** Starts its process, on the data that it has. */
export function startMember(plan: ClusterPlan, member: MemberPlan): GuardedProcess {
  const [program = plan.program, ...words] = [...member.site.prefix, plan.program, ...memberWords(plan, member)];
  return GuardedProcess.start({ program, words, cwd: plan.folder, removes: plan.folder });
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
