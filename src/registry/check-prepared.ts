import { messageOf, parseDuration } from '../lib/index.ts';
import { badPrepared } from './errors.ts';
import { LONGEST_NAME } from './prepared-names.ts';
import type { PreparedQueryRecord } from './prepared-query.ts';
import { patternOf, renderTemplate } from './prepared-template.ts';

/** What can be said of a query by itself. @throws REGISTRY_BAD_PREPARED_QUERY with Consul's texts */
export function checkPrepared(record: PreparedQueryRecord): void {
  const { name, session, template, dnsTtl } = record;
  if (name === '' && template === null && session === '') throw badPrepared('Must be bound to a session');
  if (Buffer.byteLength(name) > LONGEST_NAME) throw badPrepared(`Name is longer than ${LONGEST_NAME} bytes`);
  if (/\p{Cc}/u.test(name)) throw badPrepared('Name has characters that cannot be printed');
  checkService(record);
  checkTtl(dnsTtl);
  if (template !== null) renderTemplate(record, name, patternOf(record));
}

function checkService({ service: { service, failover, nodeMeta } }: PreparedQueryRecord): void {
  if (service === '') throw badPrepared('Must provide a Service name to query');
  const { nearestN, datacenters, targets } = failover;
  if (targets.length > 0 && (datacenters.length > 0 || nearestN !== 0)) {
    throw badPrepared('Targets cannot be populated with NearestN or Datacenters');
  }
  if (nearestN < 0) throw badPrepared(`Bad NearestN '${nearestN}', must be >= 0`);
  if (Object.hasOwn(nodeMeta, '')) throw badPrepared('Invalid NodeMeta filter: Key cannot be blank');
}

function checkTtl(text: string): void {
  if (text === '') return;
  const ttlMs = durationOf(text);
  if (ttlMs < 0) throw badPrepared(`DNS TTL '${ttlMs * 1e6}', must be >=0`);
}

function durationOf(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw badPrepared.with({ cause: error }, `Bad DNS TTL '${text}': ${messageOf(error)}`);
  }
}
