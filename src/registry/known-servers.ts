import type { Batch, Entry, Revision } from '../store/index.ts';
import { decodeRecord } from './decode-record.ts';
import type { ChangeBuilder, Held, Projection } from './feed.ts';
import { keyParts, serverKey } from './keys.ts';
import type { ServerRecord } from './records.ts';

/** The topic of which servers there are: for who is told of changes, it has no index. */
export const SERVERS_TOPIC = 'servers';

/** The servers that run, as they say of themselves under their leases. */
export class KnownServers implements Projection {
  readonly families: readonly string[] = ['srv/'];
  readonly #report: (error: unknown) => void;
  readonly #servers = new Map<string, { readonly record: ServerRecord; readonly modRevision: Revision }>();

  constructor(options: { readonly report?: (error: unknown) => void } = {}) {
    this.#report = options.report ?? (() => {});
  }

  load(entries: Iterable<Entry>): void {
    this.#servers.clear();
    for (const entry of entries) this.#put(entry);
  }

  apply({ events }: Batch, change: ChangeBuilder): void {
    for (const event of events) {
      const name = nameOf(event.type === 'put' ? event.entry.key : event.key);
      const known = this.#servers.get(name)?.record;
      if (event.type === 'put') this.#put(event.entry);
      else this.#servers.delete(name);
      const now = this.#servers.get(name)?.record;
      if (known?.incarnation !== now?.incarnation)
        change.summary.push(`server ${name} ${now === undefined ? 'gone' : 'started'}`);
      change.topics.add(SERVERS_TOPIC);
    }
  }

  *held(): Iterable<Held> {
    for (const [name, { modRevision }] of this.#servers) yield { key: serverKey(name), modRevision };
  }

  /** In order of name. */
  list(): readonly ServerRecord[] {
    return [...this.#servers.values()].map(({ record }) => record).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  get(name: string): ServerRecord | undefined {
    return this.#servers.get(name)?.record;
  }

  #put(entry: Entry): void {
    try {
      const record = checked(decodeRecord<ServerRecord>(entry), nameOf(entry.key));
      this.#servers.set(nameOf(entry.key), { record, modRevision: entry.modRevision });
    } catch (error) {
      this.#servers.delete(nameOf(entry.key));
      this.#report(error);
    }
  }
}

function nameOf(key: string): string {
  return keyParts(key)[0] as string;
}

/** It is called, and its links are proven, by the name of its key. @throws TypeError when it is no record of a server of that name */
function checked(record: ServerRecord, name: string): ServerRecord {
  const { address, httpPort, incarnation } = record as { readonly [Key in keyof ServerRecord]?: unknown };
  const isOne = record.name === name && typeof address === 'string' && typeof incarnation === 'string';
  if (isOne && Number.isInteger(httpPort) && Number(httpPort) >= 0 && Number(httpPort) <= 65_535) return record;
  throw new TypeError(`the record of server ${name} is none`);
}
