/** Why a store takes no more writes; plain, so that threads can hand it over. */
export interface Failure {
  readonly full: boolean;
  readonly damaged: boolean;
  readonly why: string;
}

/** Primary result codes, https://sqlite.org/rescode.html. */
const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_NOTADB = 26;

/** What an error of the engine means. (Threads load this file: it imports nothing, so that they start fast.) */
export function failureOf(error: unknown): Failure {
  const code = resultCode(error);
  const damaged = code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
  const text = error instanceof Error ? error.message : String(error);
  return { full: code === SQLITE_FULL, damaged, why: damaged ? `store.db is damaged: ${text}` : text };
}

/** Whether another connection holds the lock that the statement needs. */
export function isBusy(error: unknown): boolean {
  return resultCode(error) === SQLITE_BUSY;
}

function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode & 0xff;
}
