import type { Held, Projection } from '../../registry/index.ts';
import type { Batch, Entry, Revision } from '../../store/index.ts';

/** `alarm/partition`: so many nodes vanished at once, on so thin evidence, that nobody is said to be down. */
export interface PartitionAlarm {
  /** Who raised it. */
  readonly server: string;
  /** ISO time, for people: how long it stands is measured by each server since it heard of it. */
  readonly since: string;
  readonly forMs: number;
  readonly why: string;
}

/** The alarm as a server knows it. */
export interface KnownAlarm extends PartitionAlarm {
  readonly modRevision: Revision;
}

export const ALARM_KEY = 'alarm/partition';

/** The alarm that stands in the store. */
export class AlarmState implements Projection {
  readonly families = ['alarm/'];
  readonly #report: (error: unknown) => void;
  #alarm: KnownAlarm | null = null;

  constructor(options: { readonly report?: (error: unknown) => void } = {}) {
    this.#report = options.report ?? (() => undefined);
  }

  get alarm(): KnownAlarm | null {
    return this.#alarm;
  }

  load(entries: Iterable<Entry>): void {
    this.#alarm = null;
    for (const entry of entries) this.#put(entry);
  }

  apply({ events }: Batch): void {
    for (const event of events) {
      if (event.type === 'put') this.#put(event.entry);
      else if (event.key === ALARM_KEY) this.#alarm = null;
    }
  }

  *held(): Iterable<Held> {
    if (this.#alarm !== null) yield { key: ALARM_KEY, modRevision: this.#alarm.modRevision };
  }

  #put({ key, value, modRevision }: Entry): void {
    if (key !== ALARM_KEY) return;
    try {
      this.#alarm = { ...(JSON.parse(value) as PartitionAlarm), modRevision };
    } catch (error) {
      this.#alarm = null;
      this.#report(error);
    }
  }
}
