import { isSecretKey, maskUrls } from './describe.ts';

/** Lines and columns count from 1, columns in characters (code points). */
export interface Position {
  readonly line: number;
  readonly column: number;
}

const WIDEST = 100;
const LONGEST_LINE = 4_000;
const CONTEXT_LINES = 1;

/** The text of a file with its lines, for saying where something stands and for showing it. */
export class SourceText {
  readonly text: string;
  readonly #lineStarts: readonly number[];

  constructor(text: string) {
    this.text = text;
    this.#lineStarts = [0, ...Array.from(text.matchAll(/\r\n|\n|\r/g), (match) => match.index + match[0].length)];
  }

  /** The position of an offset in UTF-16 units; an offset behind the end is the end. */
  positionOf(offset: number): Position {
    const at = Math.max(0, Math.min(offset, this.text.length));
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#lineStarts[middle] as number) <= at) low = middle;
      else high = middle - 1;
    }
    const start = this.#lineStarts[low] as number;
    return { line: low + 1, column: Array.from(this.text.slice(start, at)).length + 1 };
  }

  /** The line's text without its end; empty for lines that do not exist. */
  line(number: number): string {
    const start = this.#lineStarts[number - 1];
    if (start === undefined) return '';
    return this.text.slice(start, this.#lineStarts[number] ?? this.text.length).replace(/[\r\n]+$/, '');
  }

  #stretch(number: number, skipped: number): string {
    return Array.from(this.line(number))
      .slice(skipped, skipped + 2 * LONGEST_LINE)
      .join('');
  }

  /** The line and the one before it, with a caret under the column (design 11). Secret values are starred out. */
  excerptAt({ line, column }: Position): string {
    const from = Math.max(1, line - CONTEXT_LINES);
    const width = Math.max(4, String(line).length);
    // Of a very long line only a stretch is looked at: masking costs more than its length.
    const skipped = Math.max(0, column - LONGEST_LINE);
    const shift = Math.max(0, column - skipped - Math.floor(WIDEST * 0.75));
    const rows: string[] = [];
    for (let number = from; number <= line; number++) {
      const stretch = this.#stretch(number, skipped);
      rows.push(`${String(number).padStart(width)} | ${cut(maskSecrets(stretch), shift)}`.trimEnd());
    }
    const pad = caretPad(this.#stretch(line, skipped), shift, column - skipped);
    return [...rows, `${' '.repeat(width)} | ${pad}^`].join('\n');
  }
}

function cut(line: string, shift: number): string {
  const characters = Array.from(printable(line));
  const window = characters.slice(shift, shift + WIDEST).join('');
  return shift + WIDEST < characters.length ? `${window}…` : window;
}

/** Spaces up to the column; a tab stays one, so that the caret stands under its character in any terminal. */
function caretPad(line: string, shift: number, column: number): string {
  return Array.from(line.slice(0, column * 2))
    .slice(shift, column - 1)
    .map((character) => (character === '\t' ? '\t' : ' '))
    .join('')
    .padEnd(Math.max(0, column - 1 - shift), ' ');
}

/** A file must not send control sequences to the terminal of who reads its error. */
function printable(line: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is replaced
  return line.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029]/g, '·');
}

/** What tokens look like, under whatever key. */
const UUID = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/i;

/** Passwords in URLs and the values of keys such as `token` become stars of the same length, so that columns stay. */
function maskSecrets(line: string): string {
  return maskUrls(line).replace(
    /(?<![\w-])(["']?)([\w-]+)\1(\s*[:=]\s*)("(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[^\s,{}[\]"']+)/g,
    (all, quote: string, key: string, between: string, value: string) =>
      isSecretKey(key) || UUID.test(value) ? `${quote}${key}${quote}${between}${starred(value)}` : all,
  );
}

function starred(value: string): string {
  return value.replace(/[^"']/g, '*');
}
