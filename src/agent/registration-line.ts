import type { CheckRecord, InstanceRecord } from '../registry/index.ts';
import type { RegisteredCheck } from './registered-check.ts';

/** One line of a node's kept registrations: something that was registered, or is gone. */
export type RegistrationLine =
  | { readonly service: InstanceRecord }
  | { readonly check: RegisteredCheck }
  | { readonly maintenance: CheckRecord }
  | { readonly gone: 'service' | 'check' | 'maintenance'; readonly id: string };

/** Reads a line of the agent's own file. Throws a plain error that says what is wrong with it. */
export function parseLine(value: unknown): RegistrationLine {
  const line = mapOf(value, 'the line');
  if ('service' in line) requireTexts(line['service'], ['id', 'service', 'address']);
  else if ('check' in line) requireCheck(line['check']);
  else if ('maintenance' in line) requireTexts(line['maintenance'], ['id', 'serviceId', 'status']);
  else if ('gone' in line) requireTexts(line, ['gone', 'id']);
  else throw new Error('it is of no known kind');
  return value as RegistrationLine;
}

function requireCheck(value: unknown): void {
  requireTexts(value, ['id', 'serviceId', 'source']);
  mapOf((value as RegisteredCheck).definition, 'the definition');
}

function requireTexts(value: unknown, keys: readonly string[]): void {
  const record = mapOf(value, 'it');
  const missing = keys.find((key) => typeof record[key] !== 'string');
  if (missing !== undefined) throw new Error(`"${missing}" is missing`);
}

function mapOf(value: unknown, what: string): Record<string, unknown> {
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Error(`${what} is not a map`);
}
