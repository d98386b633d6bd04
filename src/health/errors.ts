import { defineError } from '../lib/index.ts';

/** A check definition that cannot be run; the text goes out as Consul's 400. */
export const invalidCheck = defineError('HEALTH_INVALID_CHECK', 400, (why: string) => `Invalid check: ${why}`, {
  hint: 'a check has one of args, script, http, tcp, udp, grpc, h2ping, docker_container_id, os_service, an alias or ttl',
});

/** Two checks of one node with the same id. */
export const duplicateCheck = defineError(
  'HEALTH_DUPLICATE_CHECK',
  409,
  (id: string) => `check ID ${JSON.stringify(id)} already exists`,
  { hint: 'give each check of a node an id of its own' },
);

/** No such check on this node; the text is Consul's, clients match it. */
export const unknownCheck = defineError(
  'HEALTH_UNKNOWN_CHECK',
  404,
  (id: string) => `Unknown check ID ${JSON.stringify(id)}. Ensure that the check ID is passed, not the check name.`,
);

/** The check exists, but its status is not set by clients; some re-register when they read this text with status 500. */
export const notTtlCheck = defineError(
  'HEALTH_NOT_TTL',
  500,
  (id: string) => `CheckID ${JSON.stringify(id)} does not have associated TTL`,
);

/** Script checks are off on this agent, wherever they come from. */
export const scriptsDisabled = defineError(
  'HEALTH_SCRIPTS_DISABLED',
  400,
  () =>
    "Scripts are disabled on this agent; to enable, configure 'enable_script_checks' or " +
    "'enable_local_script_checks' to true",
);

/** Script checks are taken from the agent's own files only. */
export const remoteScriptsDisabled = defineError(
  'HEALTH_REMOTE_SCRIPTS_DISABLED',
  400,
  () => "Scripts are disabled on this agent from remote calls; to enable, configure 'enable_script_checks' to true",
);
