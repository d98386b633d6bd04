import { z } from 'zod';

const waiter = z.object({
  node: z.string(),
  /** How many may provision at once, as that node is configured: `5` or `10%`. */
  most: z.string(),
  /** How long its runs may take; null: for ever. */
  limitMs: z.number().nullable(),
});
const holder = waiter.extend({
  /** ISO time, for people. */
  since: z.string(),
});
const record = z.object({ holders: z.array(holder), queue: z.array(waiter) });

/** `slot/<group>`: who of a group provisions, and who waits for that, first come first. */
export type SlotRecord = Readonly<z.infer<typeof record>>;
export type SlotWaiter = Readonly<z.infer<typeof waiter>>;
export type SlotHolder = Readonly<z.infer<typeof holder>>;

export const NO_SLOTS: SlotRecord = Object.freeze({ holders: [], queue: [] });

/** So many wait in a queue that everybody reads; whoever comes later asks again. */
const QUEUE = 1_000;

/** @throws when it is no such record */
export function parseSlots(text: string): SlotRecord {
  return record.parse(JSON.parse(text));
}

/** How many of so many nodes `5` or `10%` are: at least one, or nobody would ever. null: it is neither. Pure. */
export function placesOf(most: string, nodes: number): number | null {
  const [, digits, percent] = /^(\d{1,6})(%?)$/.exec(most) ?? [];
  if (digits === undefined) return null;
  const value = Number(digits);
  if (percent !== '%') return value >= 1 ? value : null;
  return value >= 1 && value <= 100 ? Math.max(1, Math.floor((nodes * value) / 100)) : null;
}

/** A node wants to run: it waits its turn, once. Whoever runs already stays. Pure. */
export function asked(slots: SlotRecord, node: SlotWaiter): SlotRecord {
  if (slots.holders.some((one) => one.node === node.node)) return slots;
  const at = slots.queue.findIndex((one) => one.node === node.node);
  if (at < 0) return slots.queue.length >= QUEUE ? slots : { ...slots, queue: [...slots.queue, node] };
  const known = slots.queue[at] as SlotWaiter;
  if (known.most === node.most && known.limitMs === node.limitMs) return slots;
  return { ...slots, queue: slots.queue.with(at, node) };
}

/** A node runs, whoever gave it a place: it counts, and does not wait any more. Pure. */
export function runs(slots: SlotRecord, node: SlotWaiter, since: string): SlotRecord {
  if (slots.holders.some((one) => one.node === node.node)) return slots;
  return {
    holders: [...slots.holders, { ...node, since }],
    queue: slots.queue.filter((one) => one.node !== node.node),
  };
}

/** A node neither runs nor waits. Pure. */
export function freed(slots: SlotRecord, node: string): SlotRecord {
  const isOther = (one: SlotWaiter): boolean => one.node !== node;
  if (slots.holders.every(isOther) && slots.queue.every(isOther)) return slots;
  return { holders: slots.holders.filter(isOther), queue: slots.queue.filter(isOther) };
}

/**
 * Gives what is free to those who wait longest; those who are not there lose their turn. Where nodes of a group are told
 * different numbers, the smallest counts. Pure.
 */
export function granted(
  slots: SlotRecord,
  nodes: number,
  isThere: (node: string) => boolean,
  since: string,
): SlotRecord {
  let { holders } = slots;
  const queue = [...slots.queue];
  for (let next = queue[0]; next !== undefined; next = queue[0]) {
    if (isThere(next.node)) {
      const most = [...holders, next].map((one) => placesOf(one.most, nodes) ?? 1);
      if (holders.length >= Math.min(...most)) break;
      holders = [...holders, { ...next, since }];
    }
    queue.shift();
  }
  return queue.length === slots.queue.length ? slots : { holders, queue };
}

/** How many are to go before a node: 0 for the next one; whoever is not in the queue comes after it. Pure. */
export function aheadOf(slots: SlotRecord, node: string): number {
  const at = slots.queue.findIndex((one) => one.node === node);
  return at < 0 ? slots.queue.length : at;
}
