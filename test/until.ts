const BETWEEN_MS = 20;

/**
 * Asks again and again until the answer is something, which is given. `what` is said when it takes longer than `withinMs`; as a function it is
 * asked only then.
 *
 * @throws Error saying what did not come about
 */
export async function until<T>(
  what: string | (() => string | Promise<string>),
  ask: () => T | Promise<T>,
  withinMs = 15_000,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const found = await ask();
    if (found) return found;
    if (performance.now() > deadline)
      throw new Error(`not within ${withinMs} ms: ${typeof what === 'string' ? what : await what()}`);
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
  }
}
