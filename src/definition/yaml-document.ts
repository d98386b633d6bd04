import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';
import { messageOf } from '../lib/index.ts';
import {
  type Member,
  type PlacedValue,
  type ReadProblem,
  type ReadResult,
  placedList,
  placedMap,
} from './placed-value.ts';
import type { SourceText } from './source-text.ts';

/** The parser is 290 KB in 72 files: whoever reads no YAML, as an agent without files, does not read it either. */
const loadParser = (): typeof Yaml => createRequire(import.meta.url)('yaml') as typeof Yaml;

/** Values a document may unfold to by its aliases: the "billion laughs" end here. */
const MAX_VALUES = 100_000;

/** Reads YAML 1.2 (core schema: `yes` and dates are text), keeping the place of each key and value. */
export function readYaml(source: SourceText, { maxDepth }: { readonly maxDepth: number }): ReadResult {
  try {
    const documents = loadParser().parseAllDocuments(source.text, {
      schema: 'core',
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'silent',
    });
    return placedDocument(source, Array.isArray(documents) ? documents : [], maxDepth);
  } catch (error) {
    // The parser recurses: nesting far beyond every limit ends its stack before the depth can be counted.
    if (error instanceof RangeError) return failed({ kind: 'depth', offset: 0 });
    return failed({ kind: 'syntax', offset: 0, message: messageOf(error) });
  }
}

function failed(...problems: readonly ReadProblem[]): ReadResult {
  return { ok: false, problems };
}

type Ast = Yaml.Document<Yaml.Node, boolean>;

function placedDocument(source: SourceText, documents: readonly Ast[], maxDepth: number): ReadResult {
  const error = documents.flatMap((document) => [...document.errors, ...document.warnings])[0];
  if (error !== undefined) return failed(yamlProblem(error, source));
  const [document, second] = documents;
  if (second !== undefined) {
    const offset = document?.range?.[2] ?? 0;
    const hint = 'one file holds one document: remove what follows "---" or "..."';
    return failed({ kind: 'syntax', offset, message: 'a second document begins here', hint });
  }
  if (document?.contents == null) {
    return failed({ kind: 'syntax', offset: 0, message: 'the file is empty', hint: 'a document is a map of keys' });
  }
  const reader = new YamlReader(document, maxDepth);
  const root = reader.read(document.contents, 0);
  return reader.problems.length === 0 ? { ok: true, root } : failed(...reader.problems);
}

class YamlReader {
  readonly problems: ReadProblem[] = [];
  readonly #yaml = loadParser();
  readonly #document: Ast;
  readonly #maxDepth: number;
  #values = 0;

  constructor(document: Ast, maxDepth: number) {
    this.#document = document;
    this.#maxDepth = maxDepth;
  }

  read(node: unknown, depth: number): PlacedValue {
    const offset = this.#yaml.isNode(node) ? (node.range?.[0] ?? 0) : 0;
    if (++this.#values > MAX_VALUES)
      return this.#refused(offset, `the document has more than ${MAX_VALUES} values`, 'split it, or use fewer aliases');
    if (this.#yaml.isAlias(node)) return this.#alias(node, offset, depth);
    if (this.#yaml.isCollection(node) && depth >= this.#maxDepth) {
      if (!this.problems.some((problem) => problem.kind === 'depth')) this.problems.push({ kind: 'depth', offset });
      return { value: null, offset };
    }
    if (this.#yaml.isMap(node)) return placedMap(offset, this.#members(node.items, depth), this.problems);
    if (this.#yaml.isSeq(node))
      return placedList(
        offset,
        node.items.map((item) => this.read(item, depth + 1)),
      );
    return this.#yaml.isScalar(node) ? scalar(node, offset) : { value: null, offset };
  }

  #alias(node: Yaml.Alias, offset: number, depth: number): PlacedValue {
    const target = node.resolve(this.#document);
    if (target === undefined)
      return this.#refused(
        offset,
        `the alias *${node.source} names no anchor`,
        `mark a value with &${node.source} before`,
      );
    return { ...this.read(target, depth + 1), offset };
  }

  #members(items: readonly Yaml.Pair[], depth: number): Member[] {
    return items.flatMap((pair) => {
      const { key } = pair;
      const keyOffset = this.#yaml.isNode(key) ? (key.range?.[0] ?? 0) : 0;
      if (!this.#yaml.isScalar(key) || key.value === null || typeof key.value === 'object') {
        this.#refused(keyOffset, 'a key must be text', 'put it in double quotes');
        return [];
      }
      const child = pair.value === null ? { value: null, offset: keyOffset } : this.read(pair.value, depth + 1);
      return [{ key: key.source ?? JSON.stringify(key.value), keyOffset, child }];
    });
  }

  #refused(offset: number, message: string, hint: string): PlacedValue {
    if (this.problems.length === 0) this.problems.push({ kind: 'syntax', offset, message, hint });
    return { value: null, offset };
  }
}

function scalar(node: { value: unknown; source?: string }, offset: number): PlacedValue {
  const { value, source } = node;
  if (typeof value === 'number' || typeof value === 'boolean')
    return { value, offset, written: source ?? String(value) };
  return { value: value ?? null, offset };
}

interface Said {
  readonly message: string;
  readonly hint?: string;
}

/** The parser's codes in an operator's words; a code without row says what the parser says. */
const SAID: Readonly<Record<string, Said>> = {
  TAB_AS_INDENT: { message: 'a tab in the indentation', hint: 'indent with spaces' },
  BAD_INDENT: { message: 'the indentation fits nothing above', hint: 'align it with its neighbours' },
  MULTILINE_IMPLICIT_KEY: { message: "expected ':' after the key", hint: 'a key stands on one line and ends with ":"' },
  BLOCK_AS_IMPLICIT_KEY: {
    message: 'a map cannot begin here',
    hint: 'put the value on a line of its own, or in quotes if it holds ": "',
  },
  BAD_DQ_ESCAPE: { message: 'unknown escape in a text', hint: 'write \\\\ for a backslash, or use single quotes' },
  BAD_SCALAR_START: { message: 'a text cannot begin with this character', hint: 'put the text in double quotes' },
  TAG_RESOLVE_FAILED: { message: 'tags (!) are not known here', hint: 'remove the tag' },
  BAD_ALIAS: { message: 'an alias without a name', hint: 'put the text in double quotes if * or & belongs to it' },
  KEY_OVER_1024_CHARS: { message: 'a key of more than 1024 characters' },
  MULTIPLE_DOCS: { message: 'a second document begins here', hint: 'one file holds one document' },
};

function yamlProblem(error: Yaml.YAMLError, source: SourceText): ReadProblem {
  const offset = Math.min(error.pos[0], source.text.trimEnd().length);
  if (error.code === 'RESOURCE_EXHAUSTION') return { kind: 'depth', offset };
  const said = sayBracket(error.message) ?? SAID[error.code] ?? sayMissing(error.message);
  return { kind: 'syntax', offset, message: said.message, ...(said.hint === undefined ? {} : { hint: said.hint }) };
}

/** A bracket that is not closed shows as bad indentation, too. */
function sayBracket(message: string): Said | undefined {
  const closing = /end with a ([}\]])/.exec(message)?.[1];
  return closing === undefined ? undefined : { message: `expected '${closing}'`, hint: 'a bracket is not closed' };
}

function sayMissing(message: string): Said {
  const quote = /^Missing closing (["'])quote/.exec(message)?.[1];
  if (quote !== undefined) return { message: 'a text is not closed', hint: `add ${quote} at its end` };
  if (message.startsWith('Missing , ')) return { message: "expected ','", hint: 'add a comma before it' };
  if (/followed by map values/.test(message)) return { message: "expected ':' after the key" };
  return { message: message.charAt(0).toLowerCase() + message.slice(1) };
}
