import { Slots } from '../../lib/index.ts';
import type { NodeQuestions } from '../../link/index.ts';
import type { TcpProbe } from './tcp-probe.ts';

const MOST_TARGETS = 1_000;
const AT_ONCE = 64;
const LONGEST_MS = 10_000;

/** Answers a server that wants to know whether this node reaches instances of another one: bounded in number and time. */
export function answerProbe(
  probe: TcpProbe,
): (ask: NodeQuestions['probe']['ask']) => Promise<NodeQuestions['probe']['answer']> {
  const slots = new Slots(AT_ONCE);
  return async ({ targets, timeoutMs }) => {
    const limitMs = Math.min(timeoutMs, LONGEST_MS);
    const found = await Promise.all(
      targets.slice(0, MOST_TARGETS).map(async (target) => {
        const giveBack = await slots.take();
        try {
          return await probe(target, limitMs);
        } finally {
          giveBack();
        }
      }),
    );
    return { found };
  };
}
