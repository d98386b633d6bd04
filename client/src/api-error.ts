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

/** No agent answered at the address, or its answer broke off: a change may have been made all the same. */
export class UnreachableError extends Error {
  readonly address: string;

  constructor(address: string, cause: unknown, message = `no drover agent answers at ${address}`) {
    super(message, { cause });
    this.name = 'UnreachableError';
    this.address = address;
  }
}

/** Something answers at the address, but not as drover does. */
export class NotDroverError extends Error {
  readonly address: string;
  readonly status: number;

  constructor(address: string, status: number) {
    super(`what answers at ${address} is not drover (status ${status})`);
    this.name = 'NotDroverError';
    this.address = address;
    this.status = status;
  }
}
