/** A snapshot that was saved by itself, as its name tells. */
export interface SavedSnapshot {
  readonly name: string;
  readonly revision: number;
  /** ms since 1970. */
  readonly atMs: number;
}

const NAME = /^drover-(.+)-(\d+)-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\.snap$/;

/** `drover-<datacenter>-<revision>-<time in UTC>.snap`. */
export function snapshotName(datacenter: string, revision: number, atMs: number): string {
  const time = new Date(atMs).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  return `drover-${datacenter}-${revision}-${time}.snap`;
}

/** The snapshots of that datacenter among files of these names, newest first; all other files are somebody else's. Pure. */
export function savedSnapshots(names: readonly string[], datacenter: string): SavedSnapshot[] {
  return names
    .flatMap((name) => {
      const [, of, revision, year, month, day, hour, minute, second] = NAME.exec(name) ?? [];
      if (of !== datacenter) return [];
      const atMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
      return Number.isNaN(atMs) ? [] : [{ name, revision: Number(revision), atMs }];
    })
    .toSorted((one, other) => other.atMs - one.atMs || other.revision - one.revision);
}

/**
 * Which of them go once another has been saved and tried: all but the newest `keep`. Those of a higher revision than the newest stay: the
 * store began anew since, and they may be all that there is of the one before. Pure.
 */
export function outdated(saved: readonly SavedSnapshot[], keep: number): readonly SavedSnapshot[] {
  const [newest] = saved;
  return saved.filter(({ revision }) => revision <= (newest?.revision ?? 0)).slice(Math.max(1, keep));
}

/** How long until the next is due; a clock that went back does not put it off for longer than the interval. Pure. */
export function dueInMs(newest: SavedSnapshot | undefined, everyMs: number, nowMs: number): number {
  if (newest === undefined) return 0;
  const ageMs = nowMs - newest.atMs;
  return ageMs < 0 ? everyMs : Math.max(0, everyMs - ageMs);
}
