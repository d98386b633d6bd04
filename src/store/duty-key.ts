import { prefixRange } from './contract.ts';
import type { Entry, KeyRange } from './contract.ts';

/** Who has a duty, as it stands under `lead/<name>`. */
export interface DutyRecord {
  /** The server's name. */
  readonly holder: string;
  /** The lease it is under: tells one start of a server from the next. */
  readonly lease: string;
}

/** The keys of all duties. */
export const DUTIES: KeyRange = prefixRange('lead/');

export const dutyKey = (name: string): string => `lead/${name}`;

/** What stands under a duty's key; null for what nobody of drover's wrote. */
export function dutyRecord({ value }: Pick<Entry, 'value'>): DutyRecord | null {
  try {
    const { holder, lease } = JSON.parse(value) as Partial<DutyRecord>;
    return typeof holder === 'string' && typeof lease === 'string' ? { holder, lease } : null;
  } catch {
    return null;
  }
}
