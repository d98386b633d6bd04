import { defineError } from '../lib/index.ts';

/** The texts are Consul's own: its clients match them. */
export const denied = defineError(
  'ACCESS_DENIED',
  403,
  (accessor: string, permission: string, name: string) =>
    `Permission denied: token with AccessorID '${accessor}' lacks permission '${permission}'${name === '' ? '' : ` on ${JSON.stringify(name)}`}`,
  { hint: 'drover acl:why ACCESSOR ACTION RESOURCE says which rule decided' },
);
export const unknownToken = defineError('ACCESS_UNKNOWN_TOKEN', 403, () => 'ACL not found', {
  hint: 'the token was deleted, has expired or never was: ask with another one',
});
export const badRules = defineError(
  'ACCESS_BAD_RULES',
  400,
  (where: string, what: string) => `Failed to parse ACL rules: ${where}: ${what}`,
  { hint: 'rules look like key_prefix "app/" { policy = "read" } or operator = "read"' },
);
export const invalid = defineError('ACCESS_INVALID', 400, (text: string) => text);
export const notFound = defineError('ACCESS_NOT_FOUND', 404, (text: string) => text);
export const taken = defineError('ACCESS_TAKEN', 400, (text: string) => text, {
  hint: 'take another name, or change the one there is',
});
export const bootstrapDone = defineError(
  'ACCESS_BOOTSTRAP_DONE',
  403,
  (resetIndex: number) => `Permission denied: ACL bootstrap no longer allowed (reset index: ${resetIndex})`,
  { hint: 'on the machine of the data directory: drover acl:bootstrap --reset --data-dir DIR' },
);
export const contended = defineError(
  'ACCESS_CONTENDED',
  503,
  (attempts: number) => `access control was changed by others ${attempts} times while it was written`,
  { hint: 'nothing was written; try again' },
);
