import { defineError } from '../errors.ts';

/** `where` is `line:column`. */
export const badHcl = defineError('LIB_BAD_HCL', 400, (where: string, what: string) => `${where}: ${what}`, {
  hint: 'blocks are written as name "label" { … }, attributes as name = value',
});
