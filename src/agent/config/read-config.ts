import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { isDocumentFile, readDocument, validateDocument, type Document } from '../../definition/index.ts';
import { messageOf } from '../../lib/index.ts';
import { configUnreadable } from './errors.ts';
import { withoutForeignKeys } from './foreign-keys.ts';
import { configSchema, type ConfigInput } from './schema.ts';

/** One configuration file as its schema gives it, and where it stands: paths in it are relative to its directory. */
export interface ConfigFile {
  readonly document: Document;
  readonly directory: string;
  readonly input: ConfigInput;
}

/** The files of a configuration in the order in which they count. */
export interface ConfigFiles {
  readonly files: readonly ConfigFile[];
  readonly warnings: readonly string[];
}

/**
 * Reads configuration files and directories, directories in lexical order of their files.
 *
 * @throws CONFIG_UNREADABLE, DEFINITION_SYNTAX, DEFINITION_UNKNOWN_KEY, DEFINITION_INVALID with their places
 */
export async function readConfigFiles(paths: readonly string[]): Promise<ConfigFiles> {
  const warnings: string[] = [];
  const lists = await Promise.all(paths.map((one) => listFiles(one, (text) => warnings.push(text))));
  const files = await Promise.all(lists.flat().map((file) => readConfigFile(file, (text) => warnings.push(text))));
  return { files, warnings };
}

/** The file itself, or every file of the directory that drover can read. @throws CONFIG_UNREADABLE */
export async function listFiles(target: string, warn: (text: string) => void): Promise<string[]> {
  const found = await stat(target).catch((error: unknown) => unreadable(target, error));
  if (!found.isDirectory()) return [target];
  const names = (await readdir(target).catch((error: unknown) => unreadable(target, error))).toSorted();
  for (const name of names.filter((one) => one.endsWith('.hcl')))
    warn(`${path.join(target, name)}: HCL is not read by this version: write it as JSON, JSON5 or YAML`);
  return names.filter((name) => isDocumentFile(name) && !name.startsWith('.')).map((name) => path.join(target, name));
}

/** A file as a document with places. @throws CONFIG_UNREADABLE, DEFINITION_SYNTAX */
export async function readDocumentFile(file: string): Promise<Document> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => unreadable(file, error));
  return readDocument(text, file);
}

async function readConfigFile(file: string, warn: (text: string) => void): Promise<ConfigFile> {
  const document = await readDocumentFile(file);
  const { value, ignored } = withoutForeignKeys(document.value);
  const placed = {
    value,
    secret: document.secret,
    placeOf: document.placeOf.bind(document),
    excerptOf: document.excerptOf.bind(document),
  };
  const input = validateDocument(placed, configSchema);
  for (const key of ignored) warn(`${file}: "${key}" is a key of Consul that means nothing here; it is ignored`);
  return { document, directory: path.dirname(path.resolve(file)), input };
}

function unreadable(target: string, error: unknown): never {
  throw configUnreadable.with({ cause: error }, target, messageOf(error));
}
