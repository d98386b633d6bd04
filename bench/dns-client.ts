import dgram from 'node:dgram';
import { once } from 'node:events';
import { CLASS, decodeMessage, encodeMessage, TYPE, type DnsMessage } from '../src/message/index.ts';

const TIMEOUT_MS = 1_000;
const QUERY: Omit<DnsMessage, 'id' | 'questions'> = {
  response: false,
  opcode: 0,
  authoritative: false,
  truncated: false,
  recursionDesired: false,
  recursionAvailable: false,
  authenticData: false,
  checkingDisabled: false,
  rcode: 0,
  answers: [],
  authorities: [],
  additionals: [],
  edns: null,
};

/** Asks one server over UDP, without a second try: every query that is sent counts. */
export class DnsClient implements AsyncDisposable {
  readonly #socket: dgram.Socket;
  readonly #waiting = new Map<number, (answer: DnsMessage | null) => void>();
  #lastId = 0;

  private constructor(socket: dgram.Socket) {
    this.#socket = socket;
    socket.on('message', (bytes) => {
      const answer = decodeMessage(bytes);
      this.#waiting.get(answer.id)?.(answer);
    });
  }

  static async start(port: number): Promise<DnsClient> {
    const socket = dgram.createSocket('udp4');
    socket.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new DnsClient(socket);
  }

  /** The addresses of a name, sent before this returns; none for a name that is not there, null when no answer came. */
  async addresses(name: string): Promise<string[] | null> {
    const answer = await this.#ask(name);
    return answer?.answers.flatMap(({ data }) => (data.type === 'A' ? [data.address] : [])) ?? null;
  }

  #ask(name: string): Promise<DnsMessage | null> {
    const id = (this.#lastId = (this.#lastId + 1) & 0xffff);
    return new Promise((resolve) => {
      const finish = (answer: DnsMessage | null): void => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve(answer);
      };
      const timer = setTimeout(finish, TIMEOUT_MS, null);
      this.#waiting.set(id, finish);
      this.#socket.send(encodeMessage({ ...QUERY, id, questions: [{ name, type: TYPE.A, class: CLASS.IN }] }));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }
}
