import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { isDocumentFile, readDocument, validateDocument, type Document } from '../../definition/index.ts';
import { messageOf } from '../../lib/index.ts';
import { notReadable } from '../errors.ts';
import { configSchema, CONSUL_KEYS_WITHOUT_MEANING, type ConfigInput } from './schema.ts';

/** One configuration file as its schema gives it, and where it stands: paths in it are relative to its directory. */
export interface ConfigFile {
  readonly document: Document;
  readonly directory: string;
  readonly input: ConfigInput;
  readonly warnings: readonly string[];
}

/**
 * Reads configuration files and directories, directories in lexical order of their files.
 *
 * @throws CONFIG_UNREADABLE, DEFINITION_SYNTAX, DEFINITION_UNKNOWN_KEY, DEFINITION_INVALID with their places
 */
export async function readConfigFiles(paths: readonly string[]): Promise<ConfigFile[]> {
  const files = (await Promise.all(paths.map(listFiles))).flat();
  return Promise.all(files.map(readConfigFile));
}

/** The file itself, or every file of the directory that drover can read. @throws CONFIG_UNREADABLE */
export async function listFiles(target: string): Promise<string[]> {
  const found = await stat(target).catch((error: unknown) => unreadable(target, error));
  if (!found.isDirectory()) return [target];
  const names = await readdir(target).catch((error: unknown) => unreadable(target, error));
  return names
    .filter(isDocumentFile)
    .toSorted()
    .map((name) => path.join(target, name));
}

/** A file as a document with places. @throws CONFIG_UNREADABLE, DEFINITION_SYNTAX */
export async function readDocumentFile(file: string): Promise<Document> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => unreadable(file, error));
  return readDocument(text, file);
}

async function readConfigFile(file: string): Promise<ConfigFile> {
  const document = await readDocumentFile(file);
  const { value, ignored } = withoutMeaningless(document.value);
  const placed = {
    value,
    secret: document.secret,
    placeOf: document.placeOf.bind(document),
    excerptOf: document.excerptOf.bind(document),
  };
  const input = validateDocument(placed, configSchema);
  const warnings = ignored.map((key) => `${file}: "${key}" is a key of Consul that means nothing here; it is ignored`);
  return { document, directory: path.dirname(path.resolve(file)), input, warnings };
}

function withoutMeaningless(value: unknown): { value: unknown; ignored: string[] } {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return { value, ignored: [] };
  const entries = Object.entries(value);
  const ignored = entries.map(([key]) => key).filter((key) => CONSUL_KEYS_WITHOUT_MEANING.includes(key));
  return { value: Object.fromEntries(entries.filter(([key]) => !ignored.includes(key))), ignored };
}

function unreadable(target: string, error: unknown): never {
  throw notReadable.with(
    { cause: error, hint: 'check that it exists and that this user may read it' },
    target,
    messageOf(error),
  );
}
