import type { WireError } from './wire.ts';

/** An answer of drover that is not a success. `error` is what the server said, with its code and hint. */
export class ApiError extends Error {
  readonly status: number;
  readonly error: WireError;

  constructor(status: number, error: WireError) {
    super(error.message);
    this.name = 'ApiError';
    this.status = status;
    this.error = error;
  }
}

/** No agent answered at the address. */
export class UnreachableError extends Error {
  readonly address: string;

  constructor(address: string, cause: unknown) {
    super(`no drover agent answers at ${address}`, { cause });
    this.name = 'UnreachableError';
    this.address = address;
  }
}
