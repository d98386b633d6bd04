import { hash } from 'node:crypto';

/** An answer of a server's, as it was given. */
export interface KeptAnswer {
  readonly status: number;
  /** Name and value in turn. */
  readonly headers: readonly string[];
  readonly body: Buffer;
  /** Its X-Consul-Index; empty where it had none. */
  readonly index: string;
}

export interface KeptAnswersOptions {
  /** Answers at most. */
  readonly most: number;
  /** Octets of bodies at most. */
  readonly octets: number;
}

/** An answer of more octets is not kept. */
export const MOST_KEPT_BODY = 1 << 20;
const OVERHEAD_OCTETS = 1_024;

/** What servers answered before, for when none can be asked: bounded, what was asked for longest ago goes first. */
export class KeptAnswers {
  readonly #options: KeptAnswersOptions;
  readonly #answers = new Map<string, KeptAnswer>();
  #octets = 0;

  constructor(options: KeptAnswersOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#answers.size;
  }

  put(key: string, answer: KeptAnswer): void {
    if (answer.body.length > MOST_KEPT_BODY) return;
    this.drop(key);
    this.#answers.set(key, answer);
    this.#octets += octetsOf(answer);
    for (const oldest of this.#answers.keys()) {
      if (this.#answers.size <= this.#options.most && this.#octets <= this.#options.octets) return;
      this.drop(oldest);
    }
  }

  /** It counts as asked for. */
  get(key: string): KeptAnswer | undefined {
    const answer = this.#answers.get(key);
    if (answer === undefined) return undefined;
    this.#answers.delete(key);
    this.#answers.set(key, answer);
    return answer;
  }

  drop(key: string): void {
    const answer = this.#answers.get(key);
    if (answer === undefined) return;
    this.#answers.delete(key);
    this.#octets -= octetsOf(answer);
  }
}

/** The name of an answer: of a question, for whoever shows this token, of which only a hash is kept. */
export function keptKey(question: string, token: string): string {
  return `${hash('sha256', token, 'base64url')} ${question}`;
}

function octetsOf({ body, headers }: KeptAnswer): number {
  return body.length + headers.reduce((sum, text) => sum + text.length, 0) + OVERHEAD_OCTETS;
}
