import type { LiveQuery } from '../../registry/index.ts';
import { decodeBytes } from './percent.ts';
import { Query } from './query.ts';
import type { Match, Router } from './router.ts';

/** What a URL asks for. */
export interface ParsedUrl {
  /** Undefined where nothing is. */
  readonly match: Match | undefined;
  /** What follows the route's path as raw bytes; undefined for a broken escape. */
  readonly argumentBytes: string | undefined;
  readonly query: Query;
  /** What is the same for every request of this URL; kept with it. */
  readonly kept: KeptForUrl;
}

/** What handlers made of a URL once. */
export interface KeptForUrl {
  /** The question it asks; only for those that depend on nothing but the URL. */
  live?: LiveQuery;
  /** Whose answer that is: the id of an authority. */
  liveFor?: string;
  /** Who may read the key that it names: the id of an authority, last seen. Equal ids may the same. */
  readableFor?: string;
  /** Its parameters were looked at and are taken. */
  isSound?: boolean;
}

const MOST_KEPT = 1_024;
const LONGEST_KEPT = 256;

/** Parses URLs; the short ones are kept, since most clients ask for the same few again and again. */
export class UrlParser {
  readonly #router: Router;
  readonly #start: number;
  readonly #kept = new Map<string, ParsedUrl>();

  /** `prefix` is what every path begins with. */
  constructor(router: Router, prefix: string) {
    this.#router = router;
    this.#start = prefix.length;
  }

  parse(url: string): ParsedUrl {
    const kept = this.#kept.get(url);
    if (kept !== undefined) return kept;
    const parsed = this.#parse(url);
    // A token in a URL must not stay in memory for longer than its request.
    if (url.length > LONGEST_KEPT || parsed.query.has('token')) return parsed;
    if (this.#kept.size >= MOST_KEPT) this.#kept.clear();
    this.#kept.set(url, parsed);
    return parsed;
  }

  #parse(url: string): ParsedUrl {
    const mark = url.indexOf('?');
    const match = this.#router.find(url.slice(this.#start, mark < 0 ? undefined : mark));
    const query = mark < 0 ? Query.NONE : Query.parse(url.slice(mark + 1));
    return { match, argumentBytes: match === undefined ? '' : decodeBytes(match.rest), query, kept: {} };
  }
}
