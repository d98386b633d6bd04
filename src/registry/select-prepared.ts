import type { Instance } from './catalog-reader.ts';
import { isOut } from './lost.ts';
import { type CheckRecord, serviceMaintenance } from './records.ts';
import type { PreparedService } from './prepared-query.ts';

/** Of a service's instances those that a query asks for, in their order: healthy ones with its metadata and tags. */
export function selectPrepared(instances: readonly Instance[], query: PreparedService): Instance[] {
  const ignored = new Set(query.ignoreCheckIds);
  const wanted = query.tags.filter((tag) => !tag.startsWith('!')).map((tag) => tag.toLowerCase());
  const unwanted = query.tags.filter((tag) => tag.startsWith('!')).map((tag) => tag.slice(1).toLowerCase());
  return instances.filter(
    (instance) =>
      isFine(instance, query.onlyPassing, ignored) &&
      hasAll(instance.node.record.meta, query.nodeMeta) &&
      hasAll(instance.record.meta, query.serviceMeta) &&
      hasTags(instance, wanted, unwanted),
  );
}

/** By its own checks and its node's, as Consul's clients see them: liveness is `serfHealth`, draining is maintenance. */
function isFine(instance: Instance, onlyPassing: boolean, ignored: ReadonlySet<string>): boolean {
  const { node, record, checks } = instance;
  if (record.draining === true && !ignored.has(serviceMaintenance(record.id))) return false;
  if (isOut(instance) && !ignored.has('serfHealth')) return false;
  const counts = ({ id, status }: CheckRecord): boolean =>
    ignored.has(id) || status === 'passing' || (status === 'warning' && !onlyPassing);
  return [...checks.values(), ...node.checks.values()].every((check) => counts(check.record));
}

function hasAll(meta: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([key, value]) => Object.hasOwn(meta, key) && meta[key] === value);
}

function hasTags(instance: Instance, wanted: readonly string[], unwanted: readonly string[]): boolean {
  if (wanted.length === 0 && unwanted.length === 0) return true;
  const own = new Set(instance.record.tags.map((tag) => tag.toLowerCase()));
  return wanted.every((tag) => own.has(tag)) && !unwanted.some((tag) => own.has(tag));
}
