import { nearest } from '../../lib/index.ts';
import { usageError } from '../errors.ts';

/** What a flag takes: `flag` nothing, or `=true`/`=false`; the others a value, which `list` and `map` may have several of. */
export type FlagKind = 'flag' | 'text' | 'number' | 'list' | 'map';
export type FlagValue = boolean | string | number | readonly string[] | Readonly<Record<string, string>>;

/** A command line as Go's `flag` package reads it. */
export interface GoFlags {
  readonly flags: ReadonlyMap<string, FlagValue>;
  /** What stands behind the flags. */
  readonly args: readonly string[];
}

const BOOLEANS: Readonly<Record<string, boolean>> = Object.fromEntries([
  ...['1', 't', 'T', 'true', 'TRUE', 'True'].map((text) => [text, true]),
  ...['0', 'f', 'F', 'false', 'FALSE', 'False'].map((text) => [text, false]),
]);

/**
 * Flags with one dash or two, `-flag value` and `-flag=value`; they end at the first word that is none, or at `--`. Pure.
 *
 * @throws CLI_USAGE with Go's own text
 */
export function parseGoFlags(words: readonly string[], kinds: Readonly<Record<string, FlagKind>>): GoFlags {
  const flags = new Map<string, FlagValue>();
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string;
    if (word === '--') return { flags, args: words.slice(at + 1) };
    const [, name, inline] = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(word) ?? [];
    if (name === undefined) return { flags, args: words.slice(at) };
    const kind = kindOf(name, kinds);
    const text = inline ?? (kind === 'flag' ? 'true' : words[++at]);
    if (text === undefined) throw usageError(`flag needs an argument: -${name}`);
    flags.set(name, valueOf(name, kind, text, flags.get(name)));
  }
  return { flags, args: [] };
}

function kindOf(name: string, kinds: Readonly<Record<string, FlagKind>>): FlagKind {
  const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
  if (kind !== undefined) return kind;
  const near = nearest(name, Object.keys(kinds));
  const text = `flag provided but not defined: -${name}`;
  throw near === undefined ? usageError(text) : usageError.with({ hint: `did you mean -${near}?` }, text);
}

function valueOf(name: string, kind: FlagKind, text: string, before: FlagValue | undefined): FlagValue {
  if (kind === 'flag') return BOOLEANS[text] ?? refuse(name, text);
  if (kind === 'number') return /^-?\d{1,15}$/.test(text) ? Number(text) : refuse(name, text);
  if (kind === 'list') return [...((before as string[] | undefined) ?? []), text];
  if (kind === 'text') return text;
  const colon = text.indexOf(':');
  if (colon < 1) return refuse(name, text);
  return { ...(before as Record<string, string> | undefined), [text.slice(0, colon)]: text.slice(colon + 1) };
}

function refuse(name: string, text: string): never {
  throw usageError(`invalid value ${JSON.stringify(text)} for flag -${name}`);
}
