import { splitName } from './template.ts';

/** What the system fills in for an instance, in either case: `{HOST}` or `{host}` (semantics 1). */
export const BUILTINS = ['HOST', 'PORT', 'ID', 'NODE', 'REGION'] as const;
export type Builtin = (typeof BUILTINS)[number];

/** A built-in name as a template has it, or undefined for another name. `{META.rack}` gives the instance's meta value of `rack`. */
export function builtinOf(name: string): Builtin | { readonly meta: string } | undefined {
  const plain = BUILTINS.find((builtin) => name === builtin || name === builtin.toLowerCase());
  if (plain !== undefined) return plain;
  const { service, name: last } = splitName(name);
  if (service === 'META' || service === 'meta') return { meta: last };
  const key = /^(?:META|meta)\.(.+)$/.exec(name)?.[1];
  return key === undefined ? undefined : { meta: key };
}
