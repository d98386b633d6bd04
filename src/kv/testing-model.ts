import type { KvOp } from './txn-op.ts';

/** A key as the model has it. */
export interface ModelKey {
  readonly value: string;
  readonly lockIndex: number;
  readonly session: string;
  readonly revision: number;
}

/** A session as the model has it. */
export interface ModelSession {
  readonly behavior: 'release' | 'delete';
  readonly lockDelayMs: number;
  readonly ttlMs: number;
  /** When it lapses unless it is renewed; Infinity without a TTL. */
  lapsesAtMs: number;
}

/** The obvious key/value store with sessions: plain maps, and no idea of transactions but "undo all". */
export class KvModel {
  keys = new Map<string, ModelKey>();
  sessions = new Map<string, ModelSession>();
  /** Key → when it can be locked again. */
  delays = new Map<string, number>();
  nowMs = 0;

  /** What the operations give, in words; undefined when one of them cannot be: then nothing changed. */
  run(ops: readonly KvOp[], revision: number): string[] | undefined {
    const before = new Map(this.keys);
    const results: string[] = [];
    let isSound = true;
    for (const op of ops) {
      const gives = this.#one(op, revision);
      if (gives === undefined) isSound = false;
      else results.push(...gives);
    }
    if (!isSound) this.keys = before;
    return isSound ? results : undefined;
  }

  end(id: string, revision: number): void {
    const session = this.sessions.get(id);
    if (session === undefined) return;
    this.sessions.delete(id);
    for (const [key, held] of this.keys) {
      if (held.session !== id) continue;
      if (session.behavior === 'delete') this.keys.delete(key);
      else this.keys.set(key, { ...held, session: '', revision });
      if (session.lockDelayMs > 0) this.delays.set(key, this.nowMs + session.lockDelayMs);
    }
  }

  #one(op: KvOp, revision: number): string[] | undefined {
    const { key, verb } = op;
    const known = this.keys.get(key);
    const value = op.value.toString();
    const set = (lockIndex: number, session: string): string[] => {
      const isSame = known?.value === value && known.lockIndex === lockIndex && known.session === session;
      if (!isSame) this.keys.set(key, { value, lockIndex, session, revision });
      return [`${key} ${lockIndex} ${session}`];
    };
    const keep = (): string[] => set(known?.lockIndex ?? 0, known?.session ?? '');
    switch (verb) {
      case 'set':
        return keep();
      case 'cas':
        return op.index === (known?.revision ?? 0) ? keep() : undefined;
      case 'lock':
        if (!this.sessions.has(op.session)) return undefined;
        if (known?.session === op.session) return keep();
        if ((known?.session ?? '') !== '' || (this.delays.get(key) ?? 0) > this.nowMs) return undefined;
        return set((known?.lockIndex ?? 0) + 1, op.session);
      case 'unlock':
        return op.session !== '' && known?.session === op.session ? set(known.lockIndex, '') : undefined;
      case 'delete':
        this.keys.delete(key);
        return [];
      case 'delete-tree':
        for (const name of this.keys.keys()) if (name.startsWith(key)) this.keys.delete(name);
        return [];
      case 'get':
        return known === undefined ? undefined : [`${key}=${known.value}`];
      case 'get-tree':
        return [...this.keys.keys()]
          .filter((name) => name.startsWith(key))
          .toSorted()
          .map((name) => `${name}=${this.keys.get(name)?.value}`);
      case 'check-not-exists':
        return known === undefined ? [] : undefined;
      default:
        throw new TypeError(verb);
    }
  }
}
