import { afterEach } from 'vitest';

/** Where a test puts what has to be ended after it. */
export type TestStack = Pick<AsyncDisposableStack, 'use' | 'defer'>;

/**
 * To be called once in a file: what a test puts there is ended after it in reverse order, also when the test fails. The next test has a
 * stack of its own, also when something could not be ended. `timeoutMs`: for what takes longer to end than the project's hooks may.
 */
export function perTestStack(timeoutMs?: number): TestStack {
  let stack = new AsyncDisposableStack();
  afterEach(async () => {
    const used = stack;
    stack = new AsyncDisposableStack();
    await used.disposeAsync();
  }, timeoutMs);
  return {
    use: (one) => stack.use(one),
    defer: (end) => stack.defer(end),
  };
}
