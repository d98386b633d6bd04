import { keyParts, type Held, type Projection } from '../../registry/index.ts';
import type { Batch, Entry, Revision } from '../../store/index.ts';
import { NO_SLOTS, parseSlots, type SlotRecord } from './slot-record.ts';

export const slotKey = (group: string): string => `slot/${encodeURIComponent(group)}`;

export interface StoredSlots {
  readonly slots: SlotRecord;
  /** 0: nobody of the group runs or waits. */
  readonly modRevision: Revision;
}

const NONE: StoredSlots = Object.freeze({ slots: NO_SLOTS, modRevision: 0 });

/** Who provisions and who waits, group by group, as it stands in the store. */
export class SlotState implements Projection {
  readonly families = ['slot/'];
  readonly #report: (error: unknown) => void;
  readonly #groups = new Map<string, StoredSlots>();

  constructor(options: { readonly report?: (error: unknown) => void } = {}) {
    this.#report = options.report ?? (() => undefined);
  }

  get(group: string): StoredSlots {
    return this.#groups.get(group) ?? NONE;
  }

  groups(): readonly string[] {
    return [...this.#groups.keys()];
  }

  load(entries: Iterable<Entry>): void {
    this.#groups.clear();
    for (const entry of entries) this.#put(entry);
  }

  apply({ events }: Batch): void {
    for (const event of events) {
      if (event.type === 'put') this.#put(event.entry);
      else this.#groups.delete(groupOf(event.key));
    }
  }

  *held(): Iterable<Held> {
    for (const [group, { modRevision }] of this.#groups) yield { key: slotKey(group), modRevision };
  }

  #put({ key, value, modRevision }: Entry): void {
    try {
      this.#groups.set(groupOf(key), { slots: parseSlots(value), modRevision });
    } catch (error) {
      // Nobody of the group is known to run: the next one that asks writes it anew.
      this.#groups.set(groupOf(key), { slots: NO_SLOTS, modRevision });
      this.#report(error);
    }
  }
}

function groupOf(key: string): string {
  return keyParts(key)[0] as string;
}
