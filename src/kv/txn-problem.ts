/** What is wrong with one operation of a transaction; it never leaves the evaluation, which collects them all. */
export class TxnOpError extends Error {}

/** An operation that cannot be, in Consul's words. */
export function badTxnOp(what: string): TxnOpError {
  return new TxnOpError(what);
}
