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
export const notInGroup = defineError(
  'LISTENER_NOT_IN_GROUP',
  403,
  (node: string, group: string) => `node ${node} is not of group ${JSON.stringify(group)}`,
  { hint: 'a node has a place only in the group that its own record names' },
);
export const badSlot = defineError(
  'LISTENER_BAD_SLOT',
  400,
  (group: string, most: string) =>
    `group ${JSON.stringify(group)} cannot have ${JSON.stringify(most)} nodes that provision at once`,
  { hint: 'name a group, and a number such as 5 or a part of it such as 10%' },
);
export const slotsContended = defineError(
  'LISTENER_SLOTS_CONTENDED',
  409,
  (group: string, attempts: number) =>
    `who of group ${group} may provision was changed by others ${attempts} times in a row`,
  { hint: 'the node asks again by itself' },
);
