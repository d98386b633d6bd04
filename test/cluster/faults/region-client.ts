import type { DroverProcess } from '../drover-process.ts';

/** What came of a request. A `late` one was sent, and nobody knows what became of it; a `refused` one never reached a server. */
export type Answer =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly text: string;
      readonly index: number;
      readonly revision: number;
    }
  | { readonly kind: 'late'; readonly why: string }
  | { readonly kind: 'refused' };

const REQUEST_MS = 4_000;

/** Asks a server over HTTP, with a time limit. Never rejects. */
export async function ask(
  server: DroverProcess,
  path: string,
  { method = 'GET', body = null, withinMs = REQUEST_MS }: AskOptions = {},
): Promise<Answer> {
  if (!server.running) return { kind: 'refused' };
  try {
    const signal = AbortSignal.timeout(withinMs);
    const sent = body === null ? {} : { body, headers: { 'content-type': 'application/json' } };
    const answer = await fetch(`${server.url}${path}`, { method, signal, ...sent });
    const text = await answer.text();
    const [index, revision] = ['x-consul-index', 'x-drover-revision'].map((name) =>
      Number(answer.headers.get(name) ?? 0),
    );
    return { kind: 'answer', status: answer.status, text, index: index ?? 0, revision: revision ?? 0 };
  } catch (error) {
    const { message, cause } = error as { message: string; cause?: { code?: string } };
    return cause?.code === 'ECONNREFUSED' ? { kind: 'refused' } : { kind: 'late', why: cause?.code ?? message };
  }
}

export interface AskOptions {
  readonly method?: 'GET' | 'PUT' | 'DELETE';
  readonly body?: string | null;
  readonly withinMs?: number;
}

/** The text of a good answer; null for any other. */
export function textOf(answer: Answer): string | null {
  return answer.kind === 'answer' && answer.status === 200 ? answer.text : null;
}

/** A key as `/v1/kv` gives it. */
export interface KeyWire {
  readonly Key: string;
  readonly Value: string | null;
  readonly ModifyIndex: number;
  readonly LockIndex: number;
  readonly Session?: string;
}

/** The keys of a good answer; none for 404; undefined for any other. */
export function keysOf(answer: Answer): readonly KeyWire[] | undefined {
  if (answer.kind !== 'answer') return undefined;
  if (answer.status === 404) return [];
  return answer.status === 200 ? (JSON.parse(answer.text) as KeyWire[]) : undefined;
}

/** The text of a key's value. */
export function valueOf({ Value }: KeyWire): string {
  return Buffer.from(Value ?? '', 'base64').toString('utf8');
}
