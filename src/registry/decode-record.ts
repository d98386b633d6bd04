import type { Entry } from '../store/index.ts';
import type { CheckRecord, InstanceRecord } from './records.ts';

const EMPTY_LIST: readonly never[] = Object.freeze([]);
const EMPTY_OBJECT: Readonly<Record<string, never>> = Object.freeze({});
const EVEN_WEIGHTS: InstanceRecord['weights'] = Object.freeze({ passing: 1, warning: 1 });

/** The value of an entry. @throws SyntaxError when it is not JSON, TypeError when it is no object */
export function decodeRecord<T extends object>(entry: Entry): T {
  const value = JSON.parse(entry.value) as unknown;
  if (value === null || typeof value !== 'object') throw new TypeError(`the value of ${entry.key} is no object`);
  return value as T;
}

/** An instance record in which what is empty is shared with all other records: a third of its size in memory. */
export function decodeInstance(entry: Entry): InstanceRecord {
  const record = shareEmpties(decodeRecord<InstanceRecord>(entry));
  const { passing, warning } = record.weights;
  return passing === 1 && warning === 1 ? Object.assign(record, { weights: EVEN_WEIGHTS }) : record;
}

/** A check record, with what is empty shared. */
export function decodeCheck(entry: Entry): CheckRecord {
  return shareEmpties(decodeRecord<CheckRecord>(entry));
}

function shareEmpties<T extends object>(record: T): T {
  const fields = record as Record<string, unknown>;
  for (const name in fields) {
    const value = fields[name];
    if (value === null || typeof value !== 'object') continue;
    if (Array.isArray(value)) {
      if (value.length === 0) fields[name] = EMPTY_LIST;
    } else if (isEmpty(value)) fields[name] = EMPTY_OBJECT;
  }
  return record;
}

function isEmpty(object: object): boolean {
  for (const _ in object) return false;
  return true;
}
