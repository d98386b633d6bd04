import { z } from 'zod';
import type { Rendered } from './render.ts';

const MOST_OCTETS = 65_535;
const place = z.number().int().min(0).max(MOST_OCTETS);
const movable = z.object({
  starts: z.array(place),
  weights: z.array(z.number()).nullable(),
  pointers: z.array(z.object({ at: place, record: place, offset: place })),
});
const schema = z.object({
  rcode: z.number().int().min(0).max(15),
  authoritative: z.boolean(),
  truncated: z.boolean(),
  counts: z.tuple([place, place, place]),
  body: z.base64().max(2 * MOST_OCTETS),
  serials: z.array(place),
  spellings: z.array(z.object({ at: place, octets: place })),
  movable: movable.nullable(),
});

/** A prepared answer as plain data. */
export function writeShared(rendered: Rendered): unknown {
  return { ...rendered, body: Buffer.from(rendered.body).toString('base64') };
}

/** Reads what came from a server; undefined when it is none, or speaks of places that it does not have. */
export function readShared(value: unknown): Rendered | undefined {
  const { data } = schema.safeParse(value);
  if (data === undefined) return undefined;
  const body = Buffer.from(data.body, 'base64');
  const isWithin =
    data.serials.every((at) => at + 4 <= body.length) &&
    data.spellings.every(({ at, octets }) => at + octets <= body.length) &&
    (data.movable?.starts.every((at) => at <= body.length) ?? true) &&
    (data.movable?.pointers.every(({ at }) => at + 2 <= body.length) ?? true);
  return isWithin ? { ...data, body } : undefined;
}
