/** The first of each line without the faults that drover meets: lost watch events, leases wrongly revoked, stale reads. */
const SOUND: Readonly<Record<string, number>> = { '3.4': 45, '3.5': 33, '3.6': 14 };

/**
 * What to tell whoever runs an etcd of this version; undefined when there is nothing to tell.
 *
 * @example versionWarning('3.4.23') // 'etcd 3.4.23 lacks fixes …'
 */
export function versionWarning(version: string): string | undefined {
  const [, line = '', patch = ''] = /^(\d+\.\d+)\.(\d+)/.exec(version) ?? [];
  const least = SOUND[line];
  const recommended = Object.entries(SOUND).map(([name, number]) => `${name}.${number}`);
  if (least === undefined)
    return isNewer(line)
      ? undefined
      : `etcd ${version} is no version that drover knows; use one of ${recommended.join(', ')} or later`;
  if (Number(patch) >= least) return undefined;
  return (
    `etcd ${version} lacks fixes of faults that drover meets (lost watch events, leases revoked too early, stale reads): ` +
    `upgrade to ${line}.${least} or later; until then what is in memory is compared with etcd every 5 minutes`
  );
}

function isNewer(line: string): boolean {
  const [major = 0, minor = 0] = line.split('.').map(Number);
  return major > 3 || (major === 3 && minor > 6);
}
