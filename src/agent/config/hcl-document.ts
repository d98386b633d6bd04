import type { Document, KeyPath } from '../../definition/index.ts';
import { formatPath } from '../../definition/index.ts';
import {
  badHcl,
  type DroverError,
  hclToJson,
  type HclBody,
  type HclPlace,
  type HclValue,
  isHclBody,
  parseHcl,
  type Place,
} from '../../lib/index.ts';

/** Keys of a configuration whose value is a list of maps; of any other key repeated blocks are one map. */
const LISTS_OF_MAPS: ReadonlySet<string> = new Set(['services', 'checks', 'nodes', 'watches', 'handlers']);
/** Consul takes several blocks of these, each a thing of its own. */
const PLURALS: Readonly<Record<string, string>> = { service: 'services', check: 'checks' };

/**
 * An HCL configuration as a document with places, in the form that its JSON would have: `services` and the like are lists also where
 * there is one block, everything else is a map also where blocks repeat.
 *
 * @throws LIB_BAD_HCL with the file, line and column
 */
export function readHclDocument(text: string, file: string): Document {
  const body = parsed(text, file);
  const lines = text.split('\n');
  return {
    file,
    text,
    value: shaped(hclToJson(body)),
    secret: false,
    placeOf(path) {
      const { line, column } = placeAt(body, path);
      return { file, line, column, ...(path.length === 0 ? {} : { path: formatPath(path) }) };
    },
    excerptOf: () => undefined,
    writtenAt: (path) => {
      const { line } = placeAt(body, path);
      return /=\s*([-+.\w]+)/.exec(lines[line - 1] ?? '')?.[1];
    },
  };
}

function parsed(text: string, file: string): HclBody {
  try {
    return parseHcl(text);
  } catch (error) {
    const { place = {}, message } = error as DroverError & { readonly place?: Place };
    const [, at = '', what = message] = /^(\d+:\d+): (.*)$/s.exec(message) ?? [];
    throw badHcl.with({ place: { ...place, file }, cause: error }, at, what);
  }
}

/** Pure. */
function shaped(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return shapedList(value, key);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).map(([name, inner]): [string, unknown] => {
    const plural = PLURALS[name];
    const isSeveral = plural !== undefined && Array.isArray(inner);
    return isSeveral ? [plural, inner.map((one) => shaped(one))] : [name, shaped(inner, name)];
  });
  const map = Object.fromEntries(entries);
  return LISTS_OF_MAPS.has(key) ? [map] : map;
}

function shapedList(value: readonly unknown[], key: string): unknown {
  const isOfMaps = value.length > 0 && value.every((one) => one !== null && typeof one === 'object');
  const inner = value.map((one) => shaped(one));
  if (!isOfMaps || LISTS_OF_MAPS.has(key) || value.some(Array.isArray)) return inner;
  return Object.assign({}, ...inner) as object;
}

function placeAt(body: HclBody, path: KeyPath): HclPlace {
  let place = body.place;
  let found: readonly HclValue[] = [body];
  for (const step of path) {
    const next = typeof step === 'number' ? elementOf(found, step) : found.flatMap((one) => itemsOf(one, step));
    const [first] = next;
    if (first === undefined) return place;
    if ('place' in first) place = first.place as HclPlace;
    found = next.map((one) => (isItem(one) ? one.value : one)) as HclValue[];
  }
  return place;
}

interface Item {
  readonly key: string;
  readonly value: HclValue;
  readonly place: HclPlace;
}

function isItem(value: object): value is Item {
  return 'key' in value && 'value' in value;
}

function itemsOf(value: HclValue, key: string): Item[] {
  if (!isHclBody(value)) return [];
  const single = Object.entries(PLURALS).find(([, plural]) => plural === key)?.[0];
  const wanted = new Set([key, single].filter((one) => one !== undefined).map(squeezed));
  return value.items.filter((item) => wanted.has(squeezed(item.key)));
}

function elementOf(values: readonly HclValue[], index: number): object[] {
  const all = values.flatMap((one) => (Array.isArray(one) ? (one as HclValue[]) : [one]));
  const found = all[index];
  return found !== null && typeof found === 'object' ? [found as object] : [];
}

function squeezed(key: string): string {
  return key.replaceAll('_', '').toLowerCase();
}
