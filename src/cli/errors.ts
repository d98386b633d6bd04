import { defineError } from '../lib/index.ts';

/** What the command line itself says; what the agent says comes with its own code. */
export const usageError = defineError('CLI_USAGE', 400, (text: string) => text);
export const unknownCommand = defineError(
  'CLI_UNKNOWN_COMMAND',
  400,
  (name: string) => `unknown command ${JSON.stringify(name)}`,
  { hint: 'drover help lists them' },
);
export const consulCommandLeftOut = defineError(
  'CLI_CONSUL_COMMAND',
  400,
  (name: string) => `drover has no "consul ${name}"`,
);
export const badAddress = defineError(
  'CLI_BAD_ADDRESS',
  400,
  (from: string, why: string) => `${from} is not the address of an agent: ${why}`,
  { hint: 'write it as http://127.0.0.1:8500 or 127.0.0.1:8500' },
);
export const badToken = defineError(
  'CLI_BAD_TOKEN',
  400,
  (from: string) => `${from} holds characters that no token has`,
  { hint: 'set it again; a newline at its end is the usual cause' },
);
export const tokenFile = defineError(
  'CLI_TOKEN_FILE',
  400,
  (from: string, file: string, why: string) => `${from}: cannot read a token from ${file}: ${why}`,
  { hint: 'name a file whose first line is the token' },
);
export const resetFile = defineError(
  'CLI_RESET_FILE',
  403,
  (directory: string, why: string) => `cannot leave the reset index in ${directory}: ${why}`,
  { hint: 'run it on the machine of the server, as its user or root, and name its data directory with --data-dir' },
);
export const unknownAcl = defineError(
  'CLI_UNKNOWN_ACL',
  404,
  (kind: string, name: string) => `there is no ${kind} ${JSON.stringify(name)}`,
  {
    hint: 'drover acl:policy-list and acl:role-list show what there is',
  },
);
export const unreachable = defineError('CLI_UNREACHABLE', 503, (text: string) => text, {
  hint: 'start one with npm start or drover agent --dev, or set DROVER_HTTP_ADDR',
});
export const notDrover = defineError('CLI_NOT_DROVER', 502, (text: string) => text, {
  hint: 'set DROVER_HTTP_ADDR to the HTTP address of a drover agent',
});
export const notArrived = defineError(
  'CLI_NOT_ARRIVED',
  504,
  (revision: number, why: string) => `r${revision} stands, but ${why}`,
);
export const changedSince = defineError(
  'CLI_CHANGED_SINCE',
  409,
  (key: string) => `${JSON.stringify(key)} was changed since; nothing is written`,
);
export const unknownKey = defineError(
  'CLI_UNKNOWN_KEY',
  404,
  (key: string) => `there is no key ${JSON.stringify(key)}`,
  {
    hint: 'drover kv:list shows the keys there are',
  },
);
export const unknownHistory = defineError(
  'CLI_UNKNOWN_HISTORY',
  404,
  (what: string) => `history knows nothing of ${JSON.stringify(what)}`,
  { hint: 'it was never there, or its changes are older than what is kept' },
);
export const badSnapshotFile = defineError(
  'CLI_BAD_SNAPSHOT',
  400,
  (file: string, why: string) => `${file} is not a snapshot to use: ${why}`,
);
export const noDns = defineError('CLI_NO_DNS', 503, () => 'the agent’s DNS is switched off', {
  hint: 'start the agent with --dns-port 8600',
});
export const noSuchName = defineError(
  'CLI_NO_SUCH_NAME',
  404,
  (name: string, type: string, why: string) => `${name} ${type}: ${why}`,
  { hint: 'drover service:list shows what is there; a service without a passing instance has no name' },
);
export const dnsFailed = defineError(
  'CLI_DNS_FAILED',
  503,
  (name: string, type: string, server: string, why: string) => `${name} ${type}: no answer from ${server}: ${why}`,
  { hint: 'drover doctor' },
);
export const provisionFailed = defineError(
  'CLI_PROVISION_FAILED',
  500,
  (result: string) => `the provision failed: ${result}`,
);
export const provisionHeld = defineError('CLI_PROVISION_HELD', 503, (why: string) => `the provision is queued: ${why}`);
export const partlySet = defineError(
  'CLI_PARTLY_SET',
  500,
  (done: number, all: number, next: string) => `${done} of ${all} datastores are set; it stopped at ${next}`,
  { hint: 'mend what is wrong and import the file again: setting a value twice is harmless' },
);
export const noSuchReaction = defineError('CLI_NO_SUCH_REACTION', 404, (file: string, name: string | undefined) =>
  name === undefined
    ? `${file} has no reactions and no watches of services`
    : `${file} has no reaction ${JSON.stringify(name)} and no watch of a service of that name`,
);
export const watchFailed = defineError(
  'CLI_WATCH_FAILED',
  500,
  (title: string, status: number, text: string) => `cannot watch ${title}: ${status} ${text}`,
);
export const unexpected = defineError('CLI_FAILED', 500, (text: string) => text, {
  hint: 'where that does not say what to mend, it is a bug in drover: report it with the command',
});
export const nothingToDeploy = defineError(
  'CLI_NOTHING_TO_DEPLOY',
  404,
  (group: string) => `${group} has no node with a provision command`,
  {
    hint: 'a node belongs to the group that its provision.group names',
  },
);
export const deploymentStopped = defineError(
  'CLI_DEPLOYMENT_STOPPED',
  500,
  (what: string, failed: readonly string[]) => `${what}; ${failed.join(', ')} failed`,
);
