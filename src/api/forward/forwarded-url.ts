import { parseDuration } from '../../lib/index.ts';

/** How long Consul waits where nothing is said, and at most. */
const DEFAULT_WAIT_MS = 300_000;
const MOST_WAIT_MS = 600_000;
/** What of a question says how it is asked and not what. */
const HOW: ReadonlySet<string> = new Set(['index', 'wait', 'stale', 'max_stale', 'cached', 'token']);
/** Reads whose answers are worth something when no server can be asked. */
const KEPT =
  /^\/v1\/(?:catalog|health|kv|query|session|status|coordinate|event\/list)(?:\/|$|\?)|^\/v1\/agent\/members(?:$|\?)|^\/v2\/(?:services|nodes|definitions|datastores|changes)(?:\/|$|\?)/;

/** What an agent has to know of a read that it hands on. */
export interface ForwardedRead {
  /** How long it may wait for another answer than the one it knows, in ms; null: it is answered at once. */
  readonly waitMs: number | null;
  /** The index it knows; empty for one that is answered at once. */
  readonly index: string;
  /** Only a server that has asked the others may answer it. */
  readonly isConsistent: boolean;
  /** Its path and question without how it is asked; null where its answer is not kept. */
  readonly kept: string | null;
}

/** What a GET asks. Pure; what is malformed is the server's to refuse. */
export function forwardedRead(url: string): ForwardedRead {
  const parameters = parametersOf(url);
  const index = first(parameters, 'index') ?? '';
  const isBlocking = /^[1-9]\d{0,19}$/.test(index);
  const waitsElse = index === '' && url.startsWith('/v2/') && parameters.some(([name]) => name === 'wait');
  return {
    waitMs: isBlocking || waitsElse ? waitOf(first(parameters, 'wait')) : null,
    index: isBlocking ? index : '',
    isConsistent: parameters.some(([name]) => name === 'consistent'),
    kept: keptName(url, parameters),
  };
}

/** The same question with what is left of its wait. Pure. */
export function withWait(url: string, waitMs: number): string {
  const [path] = url.split('?', 1) as [string];
  const others = partsOf(url).filter((part) => nameOf(part) !== 'wait');
  return `${path}?${[...others, `wait=${Math.max(1, Math.round(waitMs))}ms`].join('&')}`;
}

/** `near=_agent` means this agent, whoever answers. Pure. */
export function ofThisAgent(url: string, node: string): string {
  if (!url.includes('_agent')) return url;
  return url.replaceAll(
    /([?&](?:near|source)=)_agent(?=&|$)/g,
    (_all, name: string) => name + encodeURIComponent(node),
  );
}

function keptName(url: string, parameters: readonly Parameter[]): string | null {
  // What was shown on somebody's word only is not kept.
  if (!KEPT.test(url) || parameters.some(([name]) => name === 'reveal')) return null;
  const [path] = url.split('?', 1) as [string];
  return [path, ...partsOf(url).filter((part) => !HOW.has(nameOf(part)))].join(' ');
}

function waitOf(text: string | undefined): number {
  if (text === undefined || text === '') return DEFAULT_WAIT_MS;
  try {
    const waitMs = parseDuration(text);
    return waitMs > 0 ? Math.min(waitMs, MOST_WAIT_MS) : DEFAULT_WAIT_MS;
  } catch {
    return DEFAULT_WAIT_MS;
  }
}

type Parameter = readonly [name: string, value: string];

function partsOf(url: string): string[] {
  const mark = url.indexOf('?');
  return mark < 0
    ? []
    : url
        .slice(mark + 1)
        .split('&')
        .filter((part) => part !== '');
}

function nameOf(part: string): string {
  return decoded(part.split('=', 1)[0] as string);
}

function parametersOf(url: string): Parameter[] {
  return partsOf(url).map((part) => [nameOf(part), decoded(part.slice((part.split('=', 1)[0] as string).length + 1))]);
}

function first(parameters: readonly Parameter[], name: string): string | undefined {
  return parameters.find(([one]) => one === name)?.[1];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
