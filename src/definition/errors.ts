import { defineError } from '../lib/index.ts';

export const definitionSyntax = defineError('DEFINITION_SYNTAX', 400, (what: string) => what);
export const definitionInvalid = defineError('DEFINITION_INVALID', 400, (what: string) => what);
export const definitionUnknownKey = defineError('DEFINITION_UNKNOWN_KEY', 400, (what: string) => what);
export const definitionDuplicateKey = defineError('DEFINITION_DUPLICATE_KEY', 400, (key: string, firstLine: number) =>
  firstLine === 0
    ? `the key "${key}" stands twice in one object`
    : `duplicate key "${key}", first on line ${firstLine}`,
);
export const definitionTooLarge = defineError(
  'DEFINITION_TOO_LARGE',
  400,
  (size: number, limit: number) => `the document has ${size} bytes, at most ${limit} are read`,
);
export const definitionTooDeep = defineError(
  'DEFINITION_TOO_DEEP',
  400,
  (limit: number) => `the document nests deeper than ${limit} levels`,
);
export const definitionFileType = defineError(
  'DEFINITION_FILE_TYPE',
  400,
  (file: string) => `${file} is no file that drover reads`,
  { hint: 'name it .json, .json5, .yaml or .yml' },
);
export const definitionUnreadable = defineError(
  'DEFINITION_UNREADABLE',
  400,
  (path: string, why: string) => `cannot read ${path}: ${why}`,
);
export const definitionNoFiles = defineError(
  'DEFINITION_NO_FILES',
  400,
  (directory: string) => `${directory} holds no definition`,
  { hint: 'put files that end in .json, .json5, .yaml or .yml there' },
);
export const definitionDuplicate = defineError(
  'DEFINITION_DUPLICATE',
  400,
  (federation: string, id: string, first: string, second: string) =>
    `the service "${id}" of federation "${federation}" is defined in both ${first} and ${second}`,
  { hint: 'rename or remove one of them' },
);
export const definitionTemplate = defineError('DEFINITION_TEMPLATE', 400, (what: string) => what);
export const definitionSeveral = defineError('DEFINITION_INVALID', 400, (summary: string) => summary);
export const definitionSecondProvider = defineError(
  'DEFINITION_SECOND_PROVIDER',
  409,
  (name: string, federation: string, first: string, second: string) =>
    `both ${first} and ${second} provide ${name} in federation "${federation}"`,
);
export const definitionNameTaken = defineError(
  'DEFINITION_NAME_TAKEN',
  409,
  (name: string, federation: string, service: string) =>
    `${service} provides ${name}, which is the name of a datastore in federation "${federation}"`,
  { hint: 'remove the datastore with datastore:remove, or provide another name' },
);
