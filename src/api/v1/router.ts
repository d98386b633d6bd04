import type { V1Route } from './exchange.ts';

/** A route that was found, and what follows it, still as it stands in the URL. */
export interface Match {
  readonly route: V1Route;
  readonly rest: string;
}

/** Finds routes by exact path, else by the longest prefix that ends in `/`. */
export class Router {
  readonly #exact = new Map<string, V1Route>();
  readonly #prefixes = new Map<string, V1Route>();

  constructor(routes: readonly V1Route[]) {
    for (const route of routes) (route.path.endsWith('/') ? this.#prefixes : this.#exact).set(route.path, route);
  }

  /** `path` is what follows `/v1/`, not decoded. */
  find(path: string): Match | undefined {
    const exact = this.#exact.get(path);
    if (exact !== undefined) return { route: exact, rest: '' };
    for (let slash = path.lastIndexOf('/'); slash >= 0; slash = path.lastIndexOf('/', slash - 1)) {
      const route = this.#prefixes.get(path.slice(0, slash + 1));
      if (route !== undefined) return { route, rest: path.slice(slash + 1) };
      if (slash === 0) return undefined;
    }
    return undefined;
  }
}

/** Percent-decodes to raw bytes, one latin1 character each; undefined for a broken escape. */
export function decodeBytes(text: string): string | undefined {
  if (!text.includes('%')) return /^[\0-\x7f]*$/.test(text) ? text : Buffer.from(text).toString('latin1');
  let decoded = '';
  for (let at = 0; at < text.length; at++) {
    const character = text[at] as string;
    if (character !== '%') {
      decoded += character;
      continue;
    }
    const hex = text.slice(at + 1, at + 3);
    if (!/^[0-9a-fA-F]{2}$/.test(hex)) return undefined;
    decoded += String.fromCharCode(Number.parseInt(hex, 16));
    at += 2;
  }
  return decoded;
}

/** Raw bytes as UTF-8 text. */
export function bytesToText(bytes: string): string {
  return /^[\0-\x7f]*$/.test(bytes) ? bytes : Buffer.from(bytes, 'latin1').toString('utf8');
}
