import type { ApiAnswer } from '../../event/index.ts';
import type { V1Answer } from './exchange.ts';

/** A question of this process itself. */
export interface OwnQuestion {
  /** Null: none, so the agent's default one counts. */
  readonly token: string | null;
  /** Ends the wait of a blocking query. */
  readonly signal: AbortSignal;
}

/** An answer as somebody who asked over HTTP would read it. */
export function toApiAnswer(answer: V1Answer): ApiAnswer {
  const { status = 200, json, text = '' } = answer;
  const revision = Number(headerOf(answer, 'X-Drover-Revision') ?? Number.NaN);
  return {
    status,
    body: json === undefined ? text : json.toString(),
    index: headerOf(answer, 'X-Consul-Index') ?? '',
    revision: Number.isSafeInteger(revision) ? revision : null,
  };
}

function headerOf({ headers = {}, headerList = [] }: V1Answer, name: string): string | undefined {
  const at = headerList.indexOf(name);
  return at < 0 ? headers[name] : headerList[at + 1];
}
