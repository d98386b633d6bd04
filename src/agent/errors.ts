import { defineError } from '../lib/index.ts';

export const unknownLocalService = defineError(
  'AGENT_UNKNOWN_SERVICE',
  404,
  (id: string) => `Unknown service ID "${id}". Ensure that the service ID is passed, not the service name.`,
);
export const unknownLocalCheck = defineError(
  'AGENT_UNKNOWN_CHECK',
  404,
  (id: string) => `Unknown check ID "${id}". Ensure that the check ID is passed, not the check name.`,
);
export const noSuchServiceForCheck = defineError(
  'AGENT_CHECK_WITHOUT_SERVICE',
  404,
  (id: string) => `ServiceID "${id}" does not exist`,
);
export const agentStops = defineError('AGENT_STOPPING', 503, () => 'the agent is stopping');
export const noRegion = defineError(
  'AGENT_NO_REGION',
  503,
  (servers: readonly string[], why: string) =>
    servers.length === 0
      ? 'no server of a region is named: this agent speaks for itself only'
      : `no server of the region is linked: ${servers.join(', ')}${why === '' ? '' : `: ${why}`}`,
  { hint: 'it goes on trying; name servers with --join, or start it with --server, or --dev, for a region of its own' },
);
export const unknownOwner = defineError(
  'AGENT_UNKNOWN_OWNER',
  400,
  (text: string) => `environment.owner: there is no user or group "${text}"`,
  { hint: 'write user, user:group or numbers, of accounts that exist on this machine' },
);
export const unusableTokenFile = defineError(
  'AGENT_TOKEN_FILE',
  500,
  (file: string) => `cannot read the agent’s tokens from ${file}`,
  { hint: 'remove it: tokens of the configuration count then, and others are set by PUT /v1/agent/token' },
);
export const unusableDataDirectory = defineError(
  'AGENT_DATA_DIRECTORY',
  400,
  (directory: string, why: string) => `cannot use the data directory ${directory}: ${why}`,
  { hint: 'name one of its own, which this user may write, with --data-dir or data_dir' },
);
export const unwritablePidFile = defineError(
  'AGENT_PID_FILE',
  400,
  (file: string, why: string) => `cannot write the process id to ${file}: ${why}`,
  { hint: 'name a file in a directory that is there and that this user may write, with --pid-file or pid_file' },
);
export const badServerName = defineError(
  'AGENT_SERVER_NAME',
  400,
  (text: string) => `cannot join ${JSON.stringify(text)}: it is not a host, host:port or URL of a server`,
  { hint: 'name a server’s HTTP address, such as --join 10.0.0.1:8500' },
);
export const serverNameTaken = defineError(
  'AGENT_SERVER_NAME_TAKEN',
  409,
  (name: string, address: string, incarnation: string) =>
    `there is a server "${name}" already: it runs at ${address} (incarnation ${incarnation}) and keeps its lease`,
  { hint: 'a server has the name of its first node: give this one another with --node, or stop the other' },
);
export const storeReplaced = defineError(
  'AGENT_STORE_REPLACED',
  500,
  (store: string) =>
    `what this server served while ${store} was away is not what that holds now: it was restored, migrated or made anew`,
  { hint: 'start the server again: it reads what the store holds; the checkpoint that it served is gone' },
);
export const notSuspected = defineError(
  'AGENT_NOT_SUSPECTED',
  409,
  (node: string, status: string) =>
    `node "${node}" is not suspected but ${status}: there is nothing to release it from`,
  { hint: 'only nodes that a partition alarm keeps from being down are released; drover node:list shows them' },
);
export const nodeUnsettled = defineError(
  'AGENT_NODE_UNSETTLED',
  409,
  (node: string) => `node "${node}" became something else at the same time`,
  { hint: 'look at it again, and release it if it is still suspected' },
);
export const snapshotFailed = defineError(
  'AGENT_SNAPSHOT_FAILED',
  500,
  (directory: string, why: string) => `no snapshot was saved in ${directory}: ${why}`,
  { hint: 'the ones that are there stay; it is tried again' },
);
export const badQuestion = defineError(
  'AGENT_BAD_QUESTION',
  400,
  (kind: string, why: string) => `that is no question "${kind}": ${why}`,
);
