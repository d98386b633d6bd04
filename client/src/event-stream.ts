/** One server-sent event as it came over the wire. */
export interface ServerSentEvent {
  /** Where a reader that comes back goes on; the last one that was sent, empty before the first. */
  readonly id: string;
  /** `message` when the sender names none. */
  readonly event: string;
  readonly data: string;
}

/** A sender that never ends a line does not fill the memory. */
const MAX_LINE_CHARACTERS = 8_388_608;

/**
 * Server-sent events out of pieces of text that may break anywhere (HTML standard, 9.2.6 "Interpreting an event stream").
 * An event that is not complete at the end is dropped, as the standard says.
 *
 * @throws RangeError for a line without an end
 */
export async function* readEventStream(pieces: AsyncIterable<string>): AsyncGenerator<ServerSentEvent, void> {
  const block = new EventBlock();
  for await (const line of readLines(pieces)) {
    const event = block.take(line);
    if (event !== null) yield event;
  }
}

/** Lines end in LF, CR or CRLF; the last one only counts when it is ended. */
async function* readLines(pieces: AsyncIterable<string>): AsyncGenerator<string, void> {
  let rest = '';
  let isFirst = true;
  for await (const piece of pieces) {
    if (isFirst && piece !== '') {
      rest = piece.startsWith('\uFEFF') ? piece.slice(1) : piece;
      isFirst = false;
    } else rest += piece;
    // A CR at the end may be half of a CRLF.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    yield* lines;
    if (rest.length > MAX_LINE_CHARACTERS) throw new RangeError('a server-sent event has a line without an end');
  }
  if (rest.endsWith('\r')) yield rest.slice(0, -1);
}

/** Collects the lines of one event. */
class EventBlock {
  #id = '';
  #event = '';
  #data: string[] = [];

  take(line: string): ServerSentEvent | null {
    if (line === '') return this.#dispatch();
    const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === 'data') this.#data.push(value);
    else if (field === 'event') this.#event = value;
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    return null;
  }

  #dispatch(): ServerSentEvent | null {
    const found = { id: this.#id, event: this.#event === '' ? 'message' : this.#event, data: this.#data.join('\n') };
    const isEmpty = this.#data.length === 0;
    this.#event = '';
    this.#data = [];
    return isEmpty ? null : found;
  }
}
