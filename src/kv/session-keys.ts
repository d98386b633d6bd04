/** Store keys of sessions (`store.md` 3), and the topics of their queries. Ids hold no slash. */
export const SESSION_FAMILY = 'sess/';
export const SESSION_LOCK_FAMILY = 'sesslock/';
export const LOCK_DELAY_FAMILY = 'lockdelay/';
export const SESSION_FAMILIES = [SESSION_FAMILY, SESSION_LOCK_FAMILY, LOCK_DELAY_FAMILY, 'tomb/', 'floor/'] as const;

export const sessionKey = (id: string): string => SESSION_FAMILY + id;
/** All `sesslock/` keys of a session begin so. */
export const sessionLockPrefix = (id: string): string => `${SESSION_LOCK_FAMILY}${id}/`;
export const sessionLockKey = (id: string, key: string): string => sessionLockPrefix(id) + key;
export const lockDelayKey = (key: string): string => LOCK_DELAY_FAMILY + key;

export const sessionTopic = {
  all: 'sessions',
  one: (id: string): string => `sess/${id}`,
  ofNode: (node: string): string => `sessnode/${encodeURIComponent(node)}`,
} as const;

/** What every change of a session touches. */
export function topicsOfSession({ id, node }: { readonly id: string; readonly node: string }): string[] {
  return [sessionTopic.all, sessionTopic.one(id), sessionTopic.ofNode(node)];
}
