import { defineError, DroverError } from '../lib/index.ts';

export const storeCompacted = defineError(
  'STORE_COMPACTED',
  500,
  (after: number, compacted: number) => `revision ${after} is older than what the store still knows (${compacted})`,
  { hint: 'read the range again and watch from the revision of that read' },
);
/** Whether a watch ended because what it was to go on from is no longer known: what it follows is read anew. */
export function isCompacted(error: unknown): boolean {
  return error instanceof DroverError && error.code === storeCompacted.code;
}
export const storeFailed = defineError('STORE_FAILED', 500, (why: string) => `the store takes no writes: ${why}`, {
  hint: 'see the log, mend the cause and restart the server; what was acknowledged is safe',
});
export const storeFull = defineError('STORE_FULL', 500, () => 'the store is full: no space left on its disk', {
  hint: 'free space; reads, DNS and balancers go on meanwhile',
});
export const storeNoLeader = defineError(
  'STORE_NO_LEADER',
  500,
  (why: string) => `No cluster leader: etcd takes no writes: ${why}`,
  { hint: 'reads, DNS, balancers and tasks go on; see etcdctl endpoint status for the members' },
);
export const storeClosed = defineError('STORE_CLOSED', 500, () => 'the store is closed');
export const storeInUse = defineError(
  'STORE_IN_USE',
  409,
  (directory: string, holder: string) => `the data directory ${directory} is in use by ${holder}`,
  { hint: 'stop the other agent, or give this one another --data-dir' },
);
export const storeNewerLayout = defineError(
  'STORE_NEWER_LAYOUT',
  400,
  (found: number, known: number) => `the store has layout ${found}, this drover knows layouts up to ${known}`,
  { hint: 'run the drover that wrote it, or a newer one' },
);
export const storeUnusable = defineError(
  'STORE_UNUSABLE',
  400,
  (directory: string, why: string) => `cannot use ${directory} as store: ${why}`,
);
export const leaseLost = defineError('STORE_LEASE_LOST', 500, (id: string) => `lease ${id} is gone`);
export const badTxn = defineError('STORE_BAD_TXN', 400, (why: string) => `the transaction is not valid: ${why}`);
export const badRestore = defineError('STORE_BAD_RESTORE', 400, (why: string) => `cannot restore: ${why}`, {
  hint: 'nothing was changed',
});
export const badSnapshot = defineError(
  'STORE_BAD_SNAPSHOT',
  400,
  (why: string) => `not a snapshot to restore: ${why}`,
  {
    hint: 'nothing was changed; take one with drover snapshot:save',
  },
);
export const snapshotTooLarge = defineError(
  'STORE_SNAPSHOT_TOO_LARGE',
  500,
  (bytes: number, most: number) => `the state has ${bytes} bytes, a snapshot holds at most ${most}`,
  { hint: 'history is part of it: a shorter history_keep makes it smaller' },
);
export const badLease = defineError('STORE_BAD_LEASE', 400, (ttlMs: number) => `a lease cannot last ${ttlMs} ms`, {
  hint: 'between 1 ms and 24 days',
});
export const badStoreUrl = defineError('STORE_BAD_URL', 400, (url: string) => `not a store: ${JSON.stringify(url)}`, {
  hint: 'use memory:, sqlite:DIRECTORY or etcd://HOST:PORT,…',
});
export const badEtcdUrl = defineError(
  'STORE_BAD_ETCD_URL',
  400,
  (url: string, why: string) => `not an etcd store: ${JSON.stringify(url)}: ${why}`,
  { hint: 'such as etcd://10.0.0.1:2379,10.0.0.2:2379,10.0.0.3:2379' },
);
export const etcdUnreachable = defineError(
  'STORE_ETCD_UNREACHABLE',
  500,
  (endpoints: string, why: string) => `no member of etcd can be used (${endpoints}): ${why}`,
  { hint: 'compare the addresses with etcdctl endpoint status; https members need etcd.ca_file' },
);
export const etcdTls = defineError('STORE_ETCD_TLS', 500, (why: string) => `the TLS connection cannot be made: ${why}`);
export const etcdDenied = defineError(
  'STORE_ETCD_DENIED',
  500,
  (why: string, who: string) => `etcd refuses ${who}: ${why}`,
  {
    hint: 'compare with etcdctl user get; the role needs readwrite on every key (etcdctl role grant-permission ROLE --prefix=true readwrite "")',
  },
);
export const etcdFile = defineError(
  'STORE_ETCD_FILE',
  400,
  (what: string, file: string, why: string) => `cannot use ${what}, ${file}: ${why}`,
);
export const etcdForeignMember = defineError(
  'STORE_ETCD_OTHER_CLUSTER',
  400,
  (endpoint: string, others: string) => `the etcd member ${endpoint} belongs to another cluster than ${others}`,
  { hint: 'name the members of one cluster only' },
);
export const storeForeignData = defineError(
  'STORE_FOREIGN_DATA',
  400,
  (key: string, why: string) =>
    `etcd holds a key of somebody else's where drover keeps its own, ${JSON.stringify(key)}: ${why}`,
  {
    hint: 'nothing was changed; look at it with etcdctl get --prefix /drover/ and move it away, or give drover an etcd of its own',
  },
);
export const etcdLimit = defineError(
  'STORE_ETCD_LIMIT',
  400,
  (why: string) => `etcd takes no transaction of this size: ${why}`,
);
export const outcomeUnknown = defineError(
  'STORE_UNKNOWN_OUTCOME',
  500,
  (why: string) => `it is not known whether the write has happened: ${why}`,
  { hint: 'read what it was to change before trying again' },
);
export const storeNotKept = defineError(
  'STORE_NOT_KEPT',
  400,
  (url: string) => `${url} is kept nowhere: it cannot be moved`,
  {
    hint: 'use sqlite:DIRECTORY or etcd://HOST:PORT,…; a running agent with memory: is saved with drover snapshot:save',
  },
);
export const storeNotThere = defineError('STORE_NOT_THERE', 404, (url: string) => `there is no store in ${url}`);
export const storeSame = defineError('STORE_SAME', 400, (url: string) => `${url} is to be moved to itself`);
export const storeServed = defineError(
  'STORE_SERVED',
  409,
  (url: string, servers: string) => `servers run on the store ${url}: ${servers}`,
  { hint: 'stop them; the record of one that was killed goes after its lease, within 15 s' },
);
export const storeNotEmpty = defineError(
  'STORE_NOT_EMPTY',
  409,
  (url: string, entries: number) => `the store ${url} holds ${entries} entries`,
  { hint: 'say --replace when they are to go' },
);
export const storeNotEqual = defineError(
  'STORE_NOT_EQUAL',
  500,
  (url: string, why: string) => `what was read back from ${url} is not what was written: ${why}`,
  { hint: 'do not start servers on it; the source is as it was' },
);
