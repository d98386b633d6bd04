export { BUILTINS, type Builtin, builtinOf } from './builtin.ts';
export { type CheckInput, type ParseCheckOptions, checkSchema, parseCheck, toCheck } from './check-schema.ts';
export { type DatastoreName, type DefinitionSet, type SetReport, checkSet, requiredNames } from './check-set.ts';
export { type DatastoreEntry, loadDatastores, readDatastores } from './datastores.ts';
export type { CheckDefinition, Definition } from './definition.ts';
export { type KeyPath, describeValue, formatPath, isSecretKey, maskUrls } from './describe.ts';
export {
  type Document,
  MAX_DOCUMENT_BYTES,
  MAX_DOCUMENT_DEPTH,
  type ReadDocumentOptions,
  isDocumentFile,
  readDocument,
} from './document.ts';
export {
  type FileSource,
  type LoadedDefinition,
  type LoadedDefinitions,
  definitionFiles,
  diskFiles,
  loadDefinitions,
  loadDocument,
} from './load.ts';
export { keyTable, serviceFileManual, serviceFileSchema, serviceFileSchemaText } from './manual.ts';
export { type ParsedDefinition, parseDefinition, readDefinition } from './parse-definition.ts';
export { collectProblems, throwAll } from './problems.ts';
export { type InstanceFacts, checksFor, portOf, renderCheck, renderProvided } from './provided.ts';
export {
  type ServiceInput,
  federationSchema,
  portSchema,
  scalarSchema,
  serviceIdSchema,
  serviceSchema,
  variableSchema,
} from './schema.ts';
export {
  type QualifiedName,
  type Template,
  type TemplatePart,
  escapeBraces,
  formatTemplate,
  namesIn,
  parseTemplate,
  renderTemplate,
  splitName,
} from './template.ts';
export { toServiceDocument } from './to-document.ts';
export { type Placed, invalidAt, validateDocument, validateValue } from './validate.ts';
