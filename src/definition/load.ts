import { readFile, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '../lib/index.ts';
import type { Definition } from './definition.ts';
import {
  MAX_DOCUMENT_BYTES,
  type ReadDocumentOptions,
  isDocumentFile,
  readDocument,
  type Document,
} from './document.ts';
import {
  definitionDuplicate,
  definitionFileType,
  definitionNoFiles,
  definitionSyntax,
  definitionTooLarge,
  definitionUnreadable,
} from './errors.ts';
import { readDefinition } from './parse-definition.ts';
import { collectProblems } from './problems.ts';

/** The part of a file system that reading needs; tests give their own. */
export interface FileSource {
  stat(path: string): Promise<{ isDirectory(): boolean; readonly size: number }>;
  readdir(path: string): Promise<readonly string[]>;
  readFile(path: string): Promise<Uint8Array>;
}

export const diskFiles: FileSource = { stat, readdir, readFile };

export interface LoadedDefinition {
  readonly definition: Definition;
  readonly file: string;
}

/** What was read, in order of file, and what its authors should know. */
export interface LoadedDefinitions {
  readonly definitions: readonly LoadedDefinition[];
  readonly warnings: readonly string[];
}

/**
 * Reads definitions from files and directories: of a directory every .json, .json5, .yaml and .yml in it, in order of name, not those in folders
 * below. All or nothing: whatever is wrong anywhere is thrown together, each problem with its file and place.
 *
 * @throws DEFINITION_SYNTAX, DEFINITION_INVALID, DEFINITION_DUPLICATE, DEFINITION_UNREADABLE and the other codes of this folder
 */
export async function loadDefinitions(
  paths: readonly string[],
  files: FileSource = diskFiles,
): Promise<LoadedDefinitions> {
  const names = await definitionFiles(paths, files);
  const texts = await Promise.all(names.map((name) => attempt(loadDocument(name, files))));
  const loaded = collectProblems(texts, (outcome) => toLoaded(outcome()));
  const definitions = loaded.map(({ definition, file }) => ({ definition, file }));
  collectProblems(definitions, (one) => refuseDuplicate(one, definitions));
  return { definitions, warnings: loaded.flatMap((one) => one.warnings) };
}

/** The files that paths stand for, each once: a file itself, a directory its documents in order of name. */
export async function definitionFiles(paths: readonly string[], files: FileSource = diskFiles): Promise<string[]> {
  const found = await Promise.all(paths.map((one) => attempt(filesAt(one, files))));
  const all = collectProblems(found, (outcome) => outcome()).flat();
  return [...new Map(all.map((file) => [path.resolve(file), file])).values()];
}

/**
 * Reads one file as a document.
 *
 * @throws DEFINITION_UNREADABLE, DEFINITION_TOO_LARGE and what `readDocument` throws
 */
export async function loadDocument(
  file: string,
  files: FileSource = diskFiles,
  options: ReadDocumentOptions = {},
): Promise<Document> {
  if (!isDocumentFile(file)) throw definitionFileType(file);
  return readDocument(await loadText(file, files), file, options);
}

async function loadText(file: string, files: FileSource): Promise<string> {
  try {
    const { size } = await files.stat(file);
    if (size > MAX_DOCUMENT_BYTES) throw definitionTooLarge.with({ place: { file } }, size, MAX_DOCUMENT_BYTES);
    return decode(await files.readFile(file), file);
  } catch (error) {
    throw unreadable(error, file);
  }
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw definitionSyntax.with({ place: { file }, cause, hint: 'save it as UTF-8' }, 'the file is not UTF-8 text');
  }
}

async function filesAt(one: string, files: FileSource): Promise<string[]> {
  try {
    if (!(await files.stat(one)).isDirectory()) return [one];
    const names = (await files.readdir(one)).filter((name) => isDocumentFile(name) && !name.startsWith('.'));
    if (names.length === 0) throw definitionNoFiles(one);
    return names.toSorted().map((name) => path.join(one, name));
  } catch (error) {
    throw unreadable(error, one);
  }
}

/** An error of the system becomes one that says what to do; drover's own stay. */
function unreadable(error: unknown, file: string): unknown {
  const code = (error as { code?: unknown }).code;
  const why = typeof code === 'string' ? SYSTEM_ERRORS[code] : undefined;
  if (why === undefined && !(typeof code === 'string' && /^E[A-Z]+$/.test(code))) return error;
  const { text, hint } = why ?? { text: messageOf(error) };
  return definitionUnreadable.with({ cause: error, ...(hint === undefined ? {} : { hint }) }, file, text);
}

const SYSTEM_ERRORS: Readonly<Record<string, { readonly text: string; readonly hint?: string }>> = {
  ENOENT: { text: 'there is no such file or directory' },
  EACCES: { text: 'permission denied', hint: 'make it readable for the user that runs drover' },
  EISDIR: { text: 'it is a directory' },
};

/** Lets all files be read before the first failure is thrown. */
async function attempt<T>(promise: Promise<T>): Promise<() => T> {
  try {
    const value = await promise;
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

function toLoaded(document: Document): LoadedDefinition & { readonly warnings: readonly string[] } {
  const { file } = document;
  const { definition, warnings } = readDefinition(document);
  const { name, ext } = path.parse(file);
  const right = `${definition.id}${ext}`;
  const misnamed = `${file} defines "${definition.id}": name the file ${right}`;
  return { definition, file, warnings: name === definition.id ? warnings : [misnamed, ...warnings] };
}

function refuseDuplicate(one: LoadedDefinition, all: readonly LoadedDefinition[]): void {
  const { federation, id } = one.definition;
  const same = ({ definition }: LoadedDefinition): boolean =>
    definition.id === id && definition.federation === federation;
  const first = all.find(same);
  if (first !== undefined && first !== one) {
    throw definitionDuplicate.with({ place: { file: one.file, path: 'id' } }, federation, id, first.file, one.file);
  }
}
