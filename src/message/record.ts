/** What a record says, by type. Names are in presentation form; addresses as text; `TXT` strings are octets. */
export type RecordData =
  | { readonly type: 'A'; readonly address: string }
  | { readonly type: 'AAAA'; readonly address: string }
  | { readonly type: 'NS' | 'CNAME' | 'PTR'; readonly target: string }
  | {
      readonly type: 'SRV';
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: string;
    }
  | { readonly type: 'TXT'; readonly strings: readonly Uint8Array[] }
  | {
      readonly type: 'SOA';
      readonly primary: string;
      readonly mailbox: string;
      readonly serial: number;
      readonly refresh: number;
      readonly retry: number;
      readonly expire: number;
      readonly minimum: number;
    }
  | { readonly type: 'OPAQUE'; readonly code: number; readonly octets: Uint8Array };

/** One resource record; `ttl` in seconds, `class` is 1 (IN) when left out. */
export interface ResourceRecord {
  readonly name: string;
  readonly class?: number;
  readonly ttl: number;
  readonly data: RecordData;
}

/** One question; `type` and `class` as numbers, since any may be asked. */
export interface Question {
  readonly name: string;
  readonly type: number;
  readonly class: number;
}
