import type { V1Route } from './exchange.ts';

/** A route that was found, and what follows it, still as it stands in the URL. */
export interface Match {
  readonly route: V1Route;
  readonly rest: string;
}

/** Finds routes by exact path, else by the longest prefix that ends in `/`. */
export class Router {
  readonly #exact = new Map<string, Match>();
  readonly #prefixes = new Map<string, V1Route>();
  /** Slashes of the deepest prefix: keys of a thousand segments are not searched for more. */
  readonly #depth: number;

  constructor(routes: readonly V1Route[]) {
    for (const route of routes) {
      if (route.path.endsWith('/')) this.#prefixes.set(route.path, route);
      else this.#exact.set(route.path, { route, rest: '' });
    }
    this.#depth = Math.max(0, ...this.#prefixes.keys().map((path) => path.split('/').length - 1));
  }

  /** `path` is what follows `/v1/`, not decoded. */
  find(path: string): Match | undefined {
    const exact = this.#exact.get(path);
    if (exact !== undefined) return exact;
    let found: V1Route | undefined;
    for (let slash = path.indexOf('/'), depth = 0; slash >= 0 && depth < this.#depth; depth++) {
      found = this.#prefixes.get(path.slice(0, slash + 1)) ?? found;
      slash = path.indexOf('/', slash + 1);
    }
    return found === undefined ? undefined : { route: found, rest: path.slice(found.path.length) };
  }
}
