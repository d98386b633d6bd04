import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { isDocumentFile, readDocument, validateDocument, type Document } from '../../definition/index.ts';
import { messageOf } from '../../lib/index.ts';
import { configUnreadable } from './errors.ts';
import { withoutForeignKeys } from './foreign-keys.ts';
import { readHclDocument } from './hcl-document.ts';
import { readInlineDocument, type InlineConfig } from './inline-config.ts';
import { configSchema, type ConfigInput } from './schema.ts';

/** One configuration file as its schema gives it, and where it stands: paths in it are relative to its directory. */
export interface ConfigFile {
  readonly document: Document;
  readonly directory: string;
  readonly input: ConfigInput;
  /** It stands in no file, and commands in it are the operator's own. */
  readonly inline: boolean;
}

/** The files of a configuration in the order in which they count. */
export interface ConfigFiles {
  readonly files: readonly ConfigFile[];
  readonly warnings: readonly string[];
}

/** What a configuration is read from, in the order in which it counts. */
export interface ConfigSources {
  readonly paths: readonly string[];
  readonly inline: readonly InlineConfig[];
  /** What the command line says beyond that, in the form of a file. */
  readonly settings: object | undefined;
  /** Of every file, whatever its name; undefined: by the name. */
  readonly format: 'json' | 'hcl' | undefined;
}

type Warn = (text: string) => void;

/**
 * Reads configuration files and directories, directories in lexical order of their files, then what stands in no file.
 *
 * @throws CONFIG_UNREADABLE, DEFINITION_SYNTAX, DEFINITION_UNKNOWN_KEY, DEFINITION_INVALID, LIB_BAD_HCL with their places
 */
export async function readConfigFiles({ paths, inline, settings, format }: ConfigSources): Promise<ConfigFiles> {
  const warnings: string[] = [];
  const warn: Warn = (text) => void warnings.push(text);
  const lists = await Promise.all(paths.map((one) => listFiles(one)));
  const documents = await Promise.all(lists.flat().map((file) => readDocumentFile(file, format)));
  const inlined = [...inline.map(readInlineDocument), ...(settings === undefined ? [] : [readSettings(settings)])];
  const files = [
    ...documents.map((document) => toConfigFile(document, path.dirname(path.resolve(document.file)), false, warn)),
    ...inlined.map((document) => toConfigFile(document, process.cwd(), true, warn)),
  ];
  return { files, warnings };
}

/** The file itself, or every file of the directory that drover can read. @throws CONFIG_UNREADABLE */
export async function listFiles(target: string): Promise<string[]> {
  const found = await stat(target).catch((error: unknown) => unreadable(target, error));
  if (!found.isDirectory()) return [target];
  const names = (await readdir(target).catch((error: unknown) => unreadable(target, error))).toSorted();
  return names.filter((name) => isConfigFile(name) && !name.startsWith('.')).map((name) => path.join(target, name));
}

/** A file as a document with places. @throws CONFIG_UNREADABLE, DEFINITION_SYNTAX, LIB_BAD_HCL */
export async function readDocumentFile(file: string, format?: 'json' | 'hcl'): Promise<Document> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => unreadable(file, error));
  if (isHcl(file) || (format === 'hcl' && !isDocumentFile(file))) return readHclDocument(text, file);
  if (format === 'json' && !isDocumentFile(file)) return readInlineDocument({ from: file, text, format });
  return readDocument(text, file);
}

function isConfigFile(name: string): boolean {
  return isDocumentFile(name) || isHcl(name);
}

function isHcl(file: string): boolean {
  return file.toLowerCase().endsWith('.hcl');
}

function readSettings(settings: object): Document {
  return readInlineDocument({ from: 'the command line', text: JSON.stringify(settings), format: 'json' });
}

function toConfigFile(document: Document, directory: string, inline: boolean, warn: Warn): ConfigFile {
  const { value, ignored } = withoutForeignKeys(document.value);
  const placed = {
    value,
    secret: document.secret,
    placeOf: document.placeOf.bind(document),
    excerptOf: document.excerptOf.bind(document),
  };
  const input = validateDocument(placed, configSchema);
  if (ignored.length > 0) warn(`${document.file}: these keys of Consul mean nothing here: ${ignored.join(', ')}`);
  return { document, directory, input, inline };
}

function unreadable(target: string, error: unknown): never {
  throw configUnreadable.with({ cause: error }, target, messageOf(error));
}
