import type { Place } from '../lib/index.ts';
import { type KeyPath, formatPath } from './describe.ts';
import {
  definitionDuplicateKey,
  definitionFileType,
  definitionSyntax,
  definitionTooDeep,
  definitionTooLarge,
} from './errors.ts';
import { readJson } from './json-document.ts';
import { type PlacedValue, type ReadResult, placedAt } from './placed-value.ts';
import { throwAll } from './problems.ts';
import { SourceText } from './source-text.ts';
import { readYaml } from './yaml-document.ts';

/** Bytes a file may have. */
export const MAX_DOCUMENT_BYTES = 1_048_576;
/** How deep lists and maps may nest. */
export const MAX_DOCUMENT_DEPTH = 64;

/** What an operator wrote, as a value, with the place of each key and value in it. */
export interface Document {
  readonly file: string;
  readonly text: string;
  readonly value: unknown;
  /** Nothing of the file's text may be shown. */
  readonly secret: boolean;
  /** Where the value at a path stands, or its key; for what is not there, the nearest thing around it that is. */
  placeOf(path: KeyPath, of?: 'key' | 'value'): Place;
  /** The lines around a place with a caret; undefined where there is none, or nothing may be shown. */
  excerptOf(place: Place): string | undefined;
  /** A number or boolean as it is written (`1.10`, `0x1F`, 64-bit numbers); undefined for anything else. */
  writtenAt(path: KeyPath): string | undefined;
}

export interface ReadDocumentOptions {
  /** The file holds secret values: errors show its places, never its text. */
  readonly secret?: boolean;
}

type Reader = (source: SourceText, limits: { readonly maxDepth: number }) => ReadResult;

const READERS: Readonly<Record<string, Reader>> = {
  '.json': (source, limits) => readJson(source, { mode: 'jsonc', ...limits }),
  '.json5': (source, limits) => readJson(source, { mode: 'json5', ...limits }),
  '.yaml': readYaml,
  '.yml': readYaml,
};

/** Whether the file's name says that drover can read it. */
export function isDocumentFile(file: string): boolean {
  return extensionOf(file) in READERS;
}

/**
 * Reads JSON (with comments), JSON5 or YAML by the file's extension.
 *
 * @throws DEFINITION_SYNTAX, DEFINITION_DUPLICATE_KEY with place, excerpt and hint; DEFINITION_TOO_LARGE, DEFINITION_TOO_DEEP,
 * DEFINITION_FILE_TYPE
 */
export function readDocument(text: string, file: string, options: ReadDocumentOptions = {}): Document {
  const reader = READERS[extensionOf(file)];
  if (reader === undefined) throw definitionFileType(file);
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_DOCUMENT_BYTES) throw definitionTooLarge.with({ place: { file } }, bytes, MAX_DOCUMENT_BYTES);
  const source = new SourceText(text.replace(/^\uFEFF/, ''));
  const secret = options.secret === true;
  const result = reader(source, { maxDepth: MAX_DOCUMENT_DEPTH });
  if (!result.ok) return throwAll(result.problems.map((problem) => toError(problem, source, file, secret)));
  return new FileDocument(file, source, result.root, secret);
}

function extensionOf(file: string): string {
  return /\.[^./\\]+$/.exec(file)?.[0].toLowerCase() ?? '';
}

type Problem = Extract<ReadResult, { ok: false }>['problems'][number];

function toError(
  problem: Problem,
  source: SourceText,
  file: string,
  secret: boolean,
): Error & ReturnType<typeof definitionSyntax> {
  const position = source.positionOf(problem.offset);
  const detail = {
    place: { file, ...position },
    ...(secret ? {} : { excerpt: source.excerptAt(position) }),
    ...(problem.hint === undefined || secret ? {} : { hint: problem.hint }),
  };
  if (problem.kind === 'depth') return definitionTooDeep.with(detail, MAX_DOCUMENT_DEPTH);
  if (problem.kind === 'duplicate') {
    const firstLine = source.positionOf(problem.firstOffset).line;
    return definitionDuplicateKey.with(detail, problem.key, firstLine);
  }
  return definitionSyntax.with(detail, secret ? 'the text is not valid here' : problem.message);
}

class FileDocument implements Document {
  readonly file: string;
  readonly value: unknown;
  readonly secret: boolean;
  readonly #source: SourceText;
  readonly #root: PlacedValue;

  constructor(file: string, source: SourceText, root: PlacedValue, secret: boolean) {
    this.file = file;
    this.value = root.value;
    this.secret = secret;
    this.#source = source;
    this.#root = root;
  }

  get text(): string {
    return this.#source.text;
  }

  placeOf(path: KeyPath, of: 'key' | 'value' = 'value'): Place {
    const { found, exact } = placedAt(this.#root, path);
    const offset = (of === 'key' && exact ? found.keyOffset : undefined) ?? found.offset;
    const named = path.length === 0 ? {} : { path: formatPath(path) };
    return { file: this.file, ...this.#source.positionOf(offset), ...named };
  }

  excerptOf(place: Place): string | undefined {
    if (this.secret || place.line === undefined || place.column === undefined) return undefined;
    return this.#source.excerptAt({ line: place.line, column: place.column });
  }

  writtenAt(path: KeyPath): string | undefined {
    const { found, exact } = placedAt(this.#root, path);
    if (!exact || (typeof found.value !== 'number' && typeof found.value !== 'boolean')) return undefined;
    return found.written;
  }
}
