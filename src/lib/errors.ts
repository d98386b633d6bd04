/** Where in an operator's file something is wrong; lines and columns count from 1. */
export interface Place {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  /** Dotted path of the key inside the document, such as `provides.API_URL`. */
  readonly path?: string;
}

/** What an error can carry beside its text. */
export interface ErrorDetail {
  readonly hint?: string;
  readonly place?: Place;
  /** The lines around the place with a caret, ready to print. */
  readonly excerpt?: string;
  /** What is wrong one by one, where one error stands for several; each with its own place. */
  readonly problems?: readonly DroverError[];
  readonly cause?: unknown;
}

/** An error that a user may meet: a stable code, an HTTP status, a process exit status and how to mend it. */
export class DroverError extends Error {
  readonly code: string;
  readonly status: number;
  readonly exitCode: number;
  readonly hint: string | undefined;
  readonly place: Place | undefined;
  readonly excerpt: string | undefined;
  /** Empty for an error that stands for itself. */
  readonly problems: readonly DroverError[];

  constructor(kind: ErrorKind, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'DroverError';
    this.code = kind.code;
    this.status = kind.status;
    this.exitCode = kind.exitCode;
    this.hint = detail.hint;
    this.place = detail.place;
    this.excerpt = detail.excerpt;
    this.problems = detail.problems ?? [];
  }

  /** The error as `--json` and `/v2` show it. */
  toJSON(): DroverErrorJson {
    return {
      code: this.code,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.place === undefined ? {} : { place: this.place }),
      ...(this.excerpt === undefined ? {} : { excerpt: this.excerpt }),
      ...(this.problems.length === 0 ? {} : { problems: this.problems.map((problem) => problem.toJSON()) }),
    };
  }
}

/** A DroverError on the wire. */
export interface DroverErrorJson {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly place?: Place | undefined;
  readonly excerpt?: string | undefined;
  readonly problems?: readonly DroverErrorJson[] | undefined;
}

export interface ErrorKind {
  readonly code: string;
  readonly status: number;
  readonly exitCode: number;
}

export type ErrorFactory<Args extends unknown[]> = ErrorKind & {
  (...args: Args): DroverError;
  with(detail: ErrorDetail, ...args: Args): DroverError;
  /** The row itself, for the manual of errors. */
  readonly row: { readonly message: (...args: Args) => string; readonly hint?: string };
};

/** Exit statuses of the CLI by HTTP status (design 11): 2 invalid, 4 not found, 5 denied, 6 conflict, else 1. */
const EXIT_BY_STATUS: ReadonlyMap<number, number> = new Map([
  [400, 2],
  [401, 5],
  [403, 5],
  [404, 4],
  [409, 6],
  [413, 2],
  [422, 3],
]);

/** The exit status of the CLI for an error that has this HTTP status. */
export function exitCodeOf(status: number): number {
  return EXIT_BY_STATUS.get(status) ?? 1;
}

/**
 * Defines one row of a folder's error table.
 *
 * @example
 * export const unknownService = defineError('REGISTRY_UNKNOWN_SERVICE', 404, (id: string) => `unknown service "${id}"`);
 * throw unknownService('api');
 * throw unknownService.with({ hint: 'see drover service:list' }, 'api');
 */
export function defineError<Args extends unknown[]>(
  code: string,
  status: number,
  message: (...args: Args) => string,
  defaults: ErrorDetail = {},
): ErrorFactory<Args> {
  const kind: ErrorKind = { code, status, exitCode: exitCodeOf(status) };
  const create = (...args: Args): DroverError => new DroverError(kind, message(...args), defaults);
  const createWith = (detail: ErrorDetail, ...args: Args): DroverError =>
    new DroverError(kind, message(...args), { ...defaults, ...detail });
  const row = { message, ...(defaults.hint === undefined ? {} : { hint: defaults.hint }) };
  return Object.assign(create, kind, { with: createWith, row });
}

/** The text of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
