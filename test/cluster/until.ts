const BETWEEN_MS = 50;

/** Asks until the answer is true. @throws what `said` tells when that takes longer than `withinMs` */
export async function until(
  ask: () => Promise<boolean> | boolean,
  withinMs: number,
  said: () => string = () => 'it did not happen',
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await ask())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${said()}`);
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
  }
}
