export { type CheckInput, checkSchema, parseCheck, toCheck } from './check-schema.ts';
export type { CheckDefinition, Definition } from './definition.ts';
export { type KeyPath, describeValue, formatPath, isSecretKey } from './describe.ts';
export { type Document, isDocumentFile, readDocument } from './document.ts';
export { type ParsedDefinition, parseDefinition, readDefinition } from './parse-definition.ts';
export * from './template.ts';
export { validateDocument, validateValue } from './validate.ts';
