import { LinearPattern, messageOf } from '../lib/index.ts';
import { badEventFilter } from './errors.ts';
import type { UserEvent } from './user-event.ts';

/** A filter is a few names, not a program. */
const MAX_FILTER = 512;

/** A service that runs on a node, as filters see it. */
export interface FilteredService {
  readonly service: string;
  readonly tags: readonly string[];
}

/** Whom an event is for. */
export interface EventAudience {
  /** Whether it is for a node of this name, on which these services run. */
  includes(node: string, services: readonly FilteredService[]): boolean;
}

/**
 * The filters of an event, in linear time whatever they are (RE2), unanchored as Consul's. Service and tag belong together:
 * one service of the node has to match both.
 *
 * @throws EVENT_BAD_FILTER with Consul's texts
 */
export function audienceOf(event: Pick<UserEvent, 'nodeFilter' | 'serviceFilter' | 'tagFilter'>): EventAudience {
  if (event.tagFilter !== '' && event.serviceFilter === '')
    throw badEventFilter('Cannot provide tag filter without service filter');
  const node = matcherOf('node', event.nodeFilter);
  const service = matcherOf('service', event.serviceFilter);
  const tag = matcherOf('tag', event.tagFilter);
  return {
    includes(name, services) {
      if (node !== null && !node(name)) return false;
      if (service === null) return true;
      return services.some((one) => service(one.service) && (tag === null || one.tags.some(tag)));
    },
  };
}

function matcherOf(what: string, pattern: string): ((text: string) => boolean) | null {
  if (pattern === '') return null;
  if (pattern.length > MAX_FILTER) throw badEventFilter(`Invalid ${what} filter: longer than ${MAX_FILTER} characters`);
  try {
    const compiled = new LinearPattern(pattern);
    return (text) => compiled.test(text);
  } catch (error) {
    throw badEventFilter.with({ cause: error }, `Invalid ${what} filter: ${messageOf(error)}`);
  }
}
