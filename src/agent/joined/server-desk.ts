import type { AskedToken } from '../../access/index.ts';
import { readShared, type RegionsAnswer, type RegionsQuestion } from '../../dns/index.ts';
import type { Answer, Ask, AskOptions, QuestionKind, RegionQuestions } from '../../link/index.ts';
import { noRegion } from '../errors.ts';

/** What can be asked over a link. */
export interface AskServer {
  readonly ask: <Kind extends QuestionKind<RegionQuestions>>(
    kind: Kind,
    ask: Ask<RegionQuestions, Kind>,
    options?: AskOptions,
  ) => Promise<Answer<RegionQuestions, Kind>>;
}

/** Nobody who asks waits for a server that does not answer longer than this. */
const TIMEOUT_MS = 3_000;

/** What an agent asks the server that it is linked to, over the link of any of its nodes. */
export class ServerDesk {
  readonly #link: () => AskServer | null;

  /** `link` gives an open link; null while there is none. */
  constructor(link: () => AskServer | null) {
    this.#link = link;
  }

  /** Asks. @throws AGENT_NO_REGION while there is no link, and what the link throws */
  async ask<Kind extends QuestionKind<RegionQuestions>>(
    kind: Kind,
    ask: Ask<RegionQuestions, Kind>,
  ): Promise<Answer<RegionQuestions, Kind>> {
    const link = this.#link();
    if (link === null) throw noRegion([], '');
    return link.ask(kind, ask, { timeoutMs: TIMEOUT_MS });
  }

  /** What the region's DNS says, and what that is made of. @throws as `ask` */
  async dns({ packet, transport, maxBytes, client }: RegionsQuestion): Promise<RegionsAnswer> {
    const asked = { packet: Buffer.from(packet).toString('base64'), transport, maxBytes, client };
    const { packet: answered, shared } = await this.ask('dns', asked);
    const rendered = (shared?.answers ?? []).map(readShared).filter((one) => one !== undefined);
    const octets = answered === null ? null : Buffer.from(answered, 'base64');
    return { packet: octets, rendered, topics: shared?.topics ?? [] };
  }

  /** What a token may; null for one that is not there. @throws as `ask` */
  async tokenOf(secret: string): Promise<AskedToken | null> {
    const answer = await this.ask('access', { secret });
    return answer === null ? null : { word: answer.rules, ttlMs: answer.ttlMs };
  }
}
