import { messageOf } from '../lib/index.ts';
import { audienceOf, type EventAudience, type FilteredService } from './event-filter.ts';
import type { EventLog } from './event-log.ts';
import type { FiredEvent } from './user-event.ts';

/** A node of this agent, as far as filters ask for it. */
export interface EventNode {
  readonly name: string;
  services(): readonly FilteredService[];
}

const NOBODY: EventAudience = { includes: () => false };

/**
 * Which events an agent has seen: those whose filters match one of its nodes. As in Consul the agent decides, and once for
 * each event and node, so that an event does not come up again when a service is registered later.
 */
export class SeenEvents {
  readonly #log: EventLog;
  readonly #report: (text: string) => void;
  readonly #verdicts = new WeakMap<FiredEvent, Map<string, boolean>>();
  readonly #audiences = new WeakMap<FiredEvent, EventAudience>();

  constructor(options: { readonly log: EventLog; readonly report?: (text: string) => void }) {
    this.#log = options.log;
    this.#report = options.report ?? (() => {});
  }

  /** The events of a name, or all for the empty one, that are for any of the nodes, oldest first. */
  of(nodes: readonly EventNode[], name = ''): readonly FiredEvent[] {
    const events = this.#log.named(name);
    // Mostly nobody filters, and a hundred nodes ask at once.
    if (events.every(isUnfiltered)) return events;
    return events.filter((event) => isUnfiltered(event) || nodes.some((node) => this.#sees(event, node)));
  }

  #sees(event: FiredEvent, node: EventNode): boolean {
    const verdicts = this.#verdicts.get(event) ?? new Map<string, boolean>();
    this.#verdicts.set(event, verdicts);
    const known = verdicts.get(node.name);
    if (known !== undefined) return known;
    const verdict = this.#audience(event).includes(node.name, node.services());
    verdicts.set(node.name, verdict);
    return verdict;
  }

  #audience(event: FiredEvent): EventAudience {
    const known = this.#audiences.get(event);
    if (known !== undefined) return known;
    const audience = this.#compile(event);
    this.#audiences.set(event, audience);
    return audience;
  }

  /** What another version took for a filter and this one does not reaches nobody. */
  #compile(event: FiredEvent): EventAudience {
    try {
      return audienceOf(event);
    } catch (error) {
      this.#report(`event ${event.name}: ${messageOf(error)}`);
      return NOBODY;
    }
  }
}

function isUnfiltered({ nodeFilter, serviceFilter }: FiredEvent): boolean {
  return nodeFilter === '' && serviceFilter === '';
}
