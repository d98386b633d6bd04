import type { DroverCluster } from '../../test/cluster/drover-cluster.ts';

/** What can be said. */
export const WORDS = 'kill|start|pause|resume NAME, cut|heal NAME [OTHER], heal, status, quit';

type Act = (cluster: DroverCluster, name: string, other: string | undefined) => Promise<void> | void;

const ACTS: Readonly<Record<string, Act>> = {
  kill: (cluster, name) => partyOf(cluster, name).kill(),
  start: (cluster, name) => partyOf(cluster, name).start(),
  pause: (cluster, name) => partyOf(cluster, name).pause(),
  resume: (cluster, name) => partyOf(cluster, name).resume(),
  cut: (cluster, name, other) => (partyOf(cluster, name), cluster.cut(name, other)),
  heal: (cluster, name, other) => (partyOf(cluster, name), cluster.heal(name, other)),
};

/** Does one command, and says what there is to say. @throws for what is no command, or names nobody */
export async function run(cluster: DroverCluster, [word = '', name, other]: readonly string[]): Promise<string[]> {
  if (word === 'status') return status(cluster);
  if (word === 'heal' && name === undefined) {
    await cluster.healAll();
    return ['everything runs, every line is whole'];
  }
  const act = ACTS[word];
  if (act === undefined || name === undefined) throw new Error(`cannot do "${[word, name].join(' ').trim()}"`);
  await act(cluster, name, other);
  return [`${word} ${name}${other === undefined ? '' : ` ${other}`}: done`];
}

interface Party {
  kill(): Promise<void>;
  start(): Promise<void>;
  pause(): void;
  resume(): void;
}

function partyOf({ etcd, processes }: DroverCluster, name: string): Party {
  const one = processes.find((process) => process.name === name);
  if (one !== undefined) return one;
  const index = etcd.endpoints.findIndex((_, at) => name === `etcd-${at}`);
  if (index < 0) throw new Error(`nobody is called ${name}`);
  return {
    kill: () => etcd.kill(index),
    start: () => etcd.start(index),
    pause: () => etcd.pause(index),
    resume: () => etcd.resume(index),
  };
}

async function status({ etcd, servers, agents }: DroverCluster): Promise<string[]> {
  const members = await etcd.status();
  const leader = await etcd.leader();
  return [
    ...members.map(
      (one, at) =>
        `etcd-${at}    ${one === null ? 'does not answer' : `revision ${one.revision}`}${at === leader ? ', leads' : ''}`,
    ),
    ...(await Promise.all([...servers, ...agents].map(async ({ name, url }) => `${name}  ${await statusOf(url)}`))),
  ];
}

async function statusOf(url: string): Promise<string> {
  try {
    const answer = await fetch(`${url}/v2/status`, { signal: AbortSignal.timeout(2_000) });
    if (!answer.ok) return `answers ${answer.status}`;
    const { revision, store } = (await answer.json()) as { revision?: number; store?: { leaderKnown: boolean } };
    const writes =
      store === undefined ? '' : `, ${store.leaderKnown ? 'takes writes' : 'knows no leader of the store'}`;
    return `revision ${revision ?? '?'}${writes}`;
  } catch {
    return 'does not answer';
  }
}
