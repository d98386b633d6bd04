import { defineError } from '../lib/index.ts';

export const badListenerCommand = defineError(
  'LISTENER_BAD_COMMAND',
  400,
  (why: string) => `the provision command is not usable: ${why}`,
  { hint: 'give a shell line or a list of a program and its arguments' },
);
export const listenerNotSaved = defineError(
  'LISTENER_NOT_SAVED',
  500,
  (why: string) => `the listener's state cannot be written: ${why}`,
  { hint: 'nothing was changed; free space or mend the rights of the state directory' },
);
export const listenerNotConfigured = defineError(
  'LISTENER_NOT_CONFIGURED',
  409,
  (node: string) => `node ${node} has no provision command`,
  { hint: "set provision.command in the agent's configuration" },
);
export const provisionLocked = defineError(
  'LISTENER_LOCKED',
  409,
  (lock: string) => `a provision runs already: it holds ${lock}`,
  {
    hint: 'wait for it, or see drover listener:status',
  },
);
