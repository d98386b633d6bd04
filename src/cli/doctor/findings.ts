import type {
  WireBalancer,
  WireEnvironment,
  WireLink,
  WireListener,
  WireService,
  WireStatus,
} from '../../../client/src/index.ts';
import { sayDuration } from '../../lib/index.ts';
import { count } from '../say-time.ts';
import type { Facts, NodeFacts } from './examine.ts';

/** Something the doctor looked at. */
export interface Finding {
  /** `wrong`: mend it; `note`: good to know; `ok`. */
  readonly state: 'wrong' | 'note' | 'ok';
  readonly what: string;
  readonly detail: string;
  /** A command, or what to do. */
  readonly mend?: string;
}

/** Below this a consumer is on its way, not late. */
const LATE_MS = 5_000;

/** What is wrong, what is good to know, and what is well, in this order. Pure. */
export function findingsOf(facts: Facts): Finding[] {
  const all = [
    ...(facts.status.link === null ? [storeFinding(facts.status)] : [linkFinding(facts.status.link)]),
    ...alarmFindings(facts.status),
    ...snapshotFindings(facts.status),
    ...servicesFindings(facts.services),
    ...nodesFindings(facts),
    ...arrivalFindings(facts),
    ...facts.own.flatMap(ownFindings),
  ];
  return (['wrong', 'note', 'ok'] as const).flatMap((state) => all.filter((one) => one.state === state));
}

function linkFinding({ server, url, since, cutOffSince }: WireLink): Finding {
  const what = 'link';
  if (cutOffSince === null) return { state: 'ok', what, detail: `to ${server ?? url} at ${url} since ${since}` };
  return {
    state: 'wrong',
    what,
    detail: `cut off since ${cutOffSince}: what is known goes on, marked stale, and nothing of the region can be changed`,
    mend: 'see whether a server runs and can be reached from here; the agent’s log says what came of each try',
  };
}

function storeFinding({ store, revision }: WireStatus): Finding {
  const what = 'store';
  if (store.engine === 'etcd' && (store.full || !store.leaderKnown)) return etcdFinding(store);
  if (store.failure !== undefined) {
    return {
      state: 'wrong',
      what,
      detail: store.failure,
      mend: 'mend the cause, then restart the server; its log says more',
    };
  }
  if (store.full) return { state: 'wrong', what, detail: 'full: it takes no writes', mend: 'make room on its disk' };
  if (!store.leaderKnown) return { state: 'wrong', what, detail: 'it takes no writes', mend: 'its log says why' };
  return { state: 'ok', what, detail: `${store.engine} at r${revision}` };
}

function etcdFinding({ full, failure }: WireStatus['store']): Finding {
  const what = 'store';
  if (full) {
    const detail = 'etcd is full: it takes no writes';
    return {
      state: 'wrong',
      what,
      detail,
      mend: 'etcdctl compact, etcdctl defrag, etcdctl alarm disarm; or a larger --quota-backend-bytes',
    };
  }
  const detail = `etcd takes no writes: ${failure ?? 'no leader is known'}; reads, DNS and balancers go on`;
  return {
    state: 'wrong',
    what,
    detail,
    mend: 'etcdctl endpoint status --cluster; drover goes on by itself when etcd does',
  };
}

function snapshotFindings({ snapshots }: WireStatus): Finding[] {
  const what = 'snapshots';
  if (snapshots === null || snapshots === undefined) return [];
  if (snapshots.failure !== null) return [{ state: 'wrong', what, detail: snapshots.failure }];
  const { newest } = snapshots;
  return newest === null ? [] : [{ state: 'ok', what, detail: `the newest is ${newest.file}, of ${newest.at}` }];
}

function servicesFindings(services: readonly WireService[]): Finding[] {
  const sick = services.filter(({ instances, health }) => instances > 0 && !isWell(health));
  const idle = services.filter(({ instances, requiredBy }) => instances === 0 && requiredBy.length > 0);
  return [
    ...sick.map(({ id, health, instances }): Finding => {
      const detail = `${health}, ${count(instances, 'instance')}`;
      return { state: 'wrong', what: `service ${id}`, detail, mend: `drover service:show ${id}` };
    }),
    ...idle.map(({ id, requiredBy }): Finding => {
      const detail = `no instances, required by ${requiredBy.join(', ')}`;
      return { state: 'wrong', what: `service ${id}`, detail, mend: `start it and register it on a node` };
    }),
    {
      state: 'ok',
      what: 'services',
      detail: `${services.length - sick.length - idle.length} of ${services.length} are well`,
    },
  ];
}

function isWell(health: string): boolean {
  return health === 'passing' || health === 'warning' || health === 'maintenance';
}

function alarmFindings({ partition }: WireStatus): Finding[] {
  if (partition === null) return [];
  const { server, since, forMs, why } = partition;
  const until = `since ${since}, for ${sayDuration(forMs)} at most`;
  return [
    {
      state: 'wrong',
      what: 'partition',
      detail: `${why}; ${server} keeps them from being down ${until}`,
      mend: 'mend the network; drover node:release NODE lets go of one that is really gone',
    },
  ];
}

function nodesFindings({ nodes }: Facts): Finding[] {
  const vouched = nodes.filter((node) => !node.external);
  const gone = vouched.filter((node) => node.status !== 'up');
  return [
    ...gone.map(({ name, status, evidence }): Finding => {
      const detail = evidence === undefined ? status : `${status}, ${evidence}`;
      return { state: 'wrong', what: `node ${name}`, detail, mend: 'start its agent again' };
    }),
    { state: 'ok', what: 'nodes', detail: `${vouched.length - gone.length} of ${vouched.length} are up` },
  ];
}

function arrivalFindings({ late, status }: Facts): Finding[] {
  const found = late.filter((one) => one.forMs >= LATE_MS);
  if (found.length === 0) return [{ state: 'ok', what: 'arrival', detail: `nobody is late up to r${status.revision}` }];
  return found.map(({ kind, node, revision, forMs }): Finding => {
    const detail = `late for r${revision} since ${sayDuration(forMs)}`;
    return { state: 'wrong', what: `${kind}@${node}`, detail, mend: `drover trace ${revision}` };
  });
}

function ownFindings({ name, environments, listener, balancer }: NodeFacts): Finding[] {
  return [
    ...environments.flatMap((environment) => environmentFindings(name, environment)),
    ...(listener === null ? [] : listenerFindings(name, listener)),
    ...(balancer === null ? [] : balancerFindings(name, balancer)),
  ];
}

function environmentFindings(node: string, { service, variables }: WireEnvironment): Finding[] {
  const missing = variables.filter((one) => one.state === 'missing');
  const names = [...new Set(missing.flatMap((one) => (one.unresolved.length > 0 ? one.unresolved : [one.name])))];
  const [first] = names;
  if (first === undefined) return [];
  const mend = `drover datastore:set ${first} -, or apply a definition that provides it`;
  return [
    { state: 'wrong', what: `environment of ${service}@${node}`, detail: `nobody provides ${names.join(', ')}`, mend },
  ];
}

function listenerFindings(node: string, { enabled, configured, last }: WireListener): Finding[] {
  if (!configured) return [];
  const what = `listener@${node}`;
  if (!enabled)
    return [{ state: 'note', what, detail: 'off: nothing provisions', mend: `drover listener:on --node ${node}` }];
  if (last === null || last.exitCode === 0) return [];
  return [
    {
      state: 'wrong',
      what,
      detail: `the last provision failed: ${last.result}`,
      mend: `drover provision --node ${node}`,
    },
  ];
}

function balancerFindings(node: string, balancer: WireBalancer): Finding[] {
  const what = `balancer@${node}`;
  const broken = balancer.frontends.filter((one) => one.error !== null);
  const texts = [
    ...(balancer.stale === null ? [] : [balancer.stale]),
    ...broken.map(({ service, endpoint, error }) => `${service} at ${endpoint}: ${error}`),
    ...balancer.errors,
  ];
  return [
    ...[...new Set(texts)].map((detail): Finding => ({ state: 'wrong', what, detail })),
    // Without a frontend nothing fails over from a local instance (semantics 3).
    ...balancer.skipped.map(({ service, reason }): Finding => {
      return { state: 'note', what, detail: `${service} is not balanced, and does not fail over: ${reason}` };
    }),
  ];
}
