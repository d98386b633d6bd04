import { nearest } from '../lib/index.ts';
import { badRequest } from './errors.ts';

/** An object with its keys in lower case and without underscores: Consul's wire takes any case. */
export type Folded = Readonly<Record<string, unknown>>;

/** A value as an object with folded keys; null values count as absent. @throws API_BAD_REQUEST */
export function foldedObject(value: unknown, what: string): Folded {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw badRequest(`Request decode failed: ${what}: expected an object`);
  }
  const entries = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(entries.map(([key, inner]) => [fold(key), inner]));
}

function fold(key: string): string {
  return key.toLowerCase().replaceAll('_', '');
}

/** Refuses keys that are none of `known`, in whatever spelling. @throws API_BAD_REQUEST naming the nearest known one */
export function refuseUnknown(record: object, known: readonly string[], what: string): void {
  const folded = new Set(known.map(fold));
  for (const key of Object.keys(record)) {
    if (folded.has(fold(key))) continue;
    const guess = nearest(key, known);
    throw badRequest(`unknown key "${key}" in ${what}${guess === undefined ? '' : `: did you mean "${guess}"?`}`);
  }
}

/** A text; empty when absent. @throws API_BAD_REQUEST */
export function textIn(fields: Folded, key: string): string {
  const value = fields[key] ?? '';
  if (typeof value !== 'string') throw badRequest(`Request decode failed: ${key}: expected a string`);
  if (!value.isWellFormed()) throw badRequest(`Request decode failed: ${key}: expected Unicode text`);
  return value;
}

/** An object; undefined when absent. @throws API_BAD_REQUEST */
export function objectIn(fields: Folded, key: string): Record<string, unknown> | undefined {
  const value = fields[key];
  if (value === undefined) return undefined;
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw badRequest(`Request decode failed: ${key}: expected an object`);
}

/** A list; empty when absent. @throws API_BAD_REQUEST */
export function listIn(fields: Folded, key: string): readonly unknown[] {
  const value = fields[key] ?? [];
  if (Array.isArray(value)) return value as unknown[];
  throw badRequest(`Request decode failed: ${key}: expected a list`);
}

/** A boolean; false when absent. @throws API_BAD_REQUEST */
export function flagIn(fields: Folded, key: string): boolean {
  const value = fields[key] ?? false;
  if (typeof value === 'boolean') return value;
  throw badRequest(`Request decode failed: ${key}: expected true or false`);
}

/** A list of texts; empty when absent. @throws API_BAD_REQUEST */
export function textListIn(fields: Folded, key: string): string[] {
  const list = listIn(fields, key);
  if (list.every((one) => typeof one === 'string')) return [...list];
  throw badRequest(`Request decode failed: ${key}: expected a list of strings`);
}

/** A map of texts; empty when absent. @throws API_BAD_REQUEST */
export function textsIn(fields: Folded, key: string): Record<string, string> {
  const map = objectIn(fields, key) ?? {};
  if (Object.values(map).every((value) => typeof value === 'string')) return map as Record<string, string>;
  throw badRequest(`Request decode failed: ${key}: expected a map of strings`);
}
