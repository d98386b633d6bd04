import { defineError } from '../lib/index.ts';

export const badVariableName = defineError(
  'ENVIRONMENT_BAD_NAME',
  400,
  (service: string, name: string) =>
    `${service}: ${JSON.stringify(name)} cannot be the name of an environment variable`,
  { hint: 'use letters, digits and underscores, not starting with a digit' },
);
export const nulInValue = defineError(
  'ENVIRONMENT_NUL',
  400,
  (service: string, name: string) =>
    `${service}: the value of ${name} holds a NUL byte, which no environment can carry`,
);
export const notInDotenv = defineError(
  'ENVIRONMENT_NOT_IN_DOTENV',
  400,
  (service: string, name: string) =>
    `${service}: the value of ${name} cannot be written as dotenv, it holds every kind of quote`,
  { hint: 'use --format shell or --format json' },
);
export const unresolvedNames = defineError(
  'ENVIRONMENT_UNRESOLVED',
  422,
  (service: string, names: readonly string[]) => `${service} requires what is not there: ${names.join(', ')}`,
  { hint: 'drover service:show names who would provide it; drover datastore:set NAME VALUE' },
);
export const unknownService = defineError(
  'ENVIRONMENT_UNKNOWN_SERVICE',
  404,
  (node: string, service: string) =>
    `node "${node}" has no service "${service}", and its federation no definition of that name`,
);
