/** A program that is given its input on stdin. Exactly one of `args` and `shell` is set. */
export interface ScriptHandler {
  readonly type: 'script';
  readonly args: readonly string[] | null;
  /** A line for `/bin/sh -c`. */
  readonly shell: string | null;
  /** The directory of the file that names it. */
  readonly cwd: string;
  readonly timeoutMs: number;
}

/** A URL that is sent the input. */
export interface HttpHandler {
  readonly type: 'http';
  readonly url: string;
  readonly method: string;
  readonly header: Readonly<Record<string, readonly string[]>>;
  readonly tlsSkipVerify: boolean;
  readonly timeoutMs: number;
}

export type HandlerDefinition = ScriptHandler | HttpHandler;

/** What a handler is run with. */
export interface HandlerCall {
  /** JSON, for its stdin or as the body of the request. */
  readonly input: string;
  /** Consul's index of that input. */
  readonly index: string;
  /** More variables for a script: `DROVER_WATCH`, … */
  readonly variables: Readonly<Record<string, string>>;
}

/** How a run ended. */
export interface HandlerResult {
  readonly ok: boolean;
  /** In a few words: `exit 0`, `status 503`, `stopped after 30s`. */
  readonly ending: string;
  /** The end of what it wrote or answered. */
  readonly output: string;
  readonly durationMs: number;
}

/** Runs a handler; never rejects. An aborted one is stopped and is not ok. */
export type RunHandler = (handler: HandlerDefinition, call: HandlerCall, signal: AbortSignal) => Promise<HandlerResult>;

/** A handler for people, without headers, which may hold secrets. */
export function showHandler(handler: HandlerDefinition): string {
  if (handler.type === 'http') return `${handler.method} ${withoutPassword(handler.url)}`;
  return handler.shell ?? (handler.args ?? []).join(' ');
}

function withoutPassword(text: string): string {
  const url = new URL(text);
  if (url.password !== '') url.password = 'xxxxx';
  return url.href;
}
