import { randomUUID } from 'node:crypto';
import type { Entry, Revision } from '../store/index.ts';

/** A user event: something that was said once to everyone, or to those that its filters match. */
export interface UserEvent {
  /** A UUID. */
  readonly id: string;
  readonly name: string;
  /** Base64; null without a payload. */
  readonly payload: string | null;
  /** Regular expressions in RE2's syntax; empty for "every". */
  readonly nodeFilter: string;
  readonly serviceFilter: string;
  readonly tagFilter: string;
}

/** An event as the region holds it. */
export interface FiredEvent extends UserEvent {
  readonly revision: Revision;
}

/** What an event is fired with. */
export type EventToFire = Omit<UserEvent, 'id' | 'payload'> & { readonly payload: Uint8Array };

export const EVENT_FAMILY = 'ev/';

/** `ev/<name>/<id>`, the name percent-encoded. */
export function eventKey({ name, id }: Pick<UserEvent, 'name' | 'id'>): string {
  return `${EVENT_FAMILY}${encodeURIComponent(name)}/${id}`;
}

/** A new event with an id of its own. */
export function newEvent({ payload, ...rest }: EventToFire): UserEvent {
  return { id: randomUUID(), payload: payload.length === 0 ? null : Buffer.from(payload).toString('base64'), ...rest };
}

/** @throws SyntaxError when the entry is not of drover's making */
export function decodeEvent({ value, modRevision }: Entry): FiredEvent {
  return { ...(JSON.parse(value) as UserEvent), revision: modRevision };
}

/** Consul's form of an event, its eight members. */
export interface WireEvent {
  readonly ID: string;
  readonly Name: string;
  readonly Payload: string | null;
  readonly NodeFilter: string;
  readonly ServiceFilter: string;
  readonly TagFilter: string;
  readonly Version: number;
  /** Events in the order of this were fired in that order: drover's revision. 0 in the answer of who fired it, as in Consul. */
  readonly LTime: number;
}

/** An event on Consul's wire. */
export function wireEvent(event: UserEvent, revision: Revision): WireEvent {
  return {
    ID: event.id,
    Name: event.name,
    Payload: event.payload,
    NodeFilter: event.nodeFilter,
    ServiceFilter: event.serviceFilter,
    TagFilter: event.tagFilter,
    Version: 1,
    LTime: revision,
  };
}

/** Consul's index of a list of events: the halves of the last one's UUID, one xor the other; 1 for none. */
export function eventIndex(last: Pick<UserEvent, 'id'> | undefined): string {
  if (last === undefined) return '1';
  const hex = last.id.replaceAll('-', '');
  return String(BigInt(`0x${hex.slice(0, 16)}`) ^ BigInt(`0x${hex.slice(16)}`));
}
