import { z } from 'zod';

const schema = z.strictObject({ version: z.literal(1), files: z.array(z.string().regex(/^[^/]+\.conf$/)) });

/** The environment files that drover wrote, by name: only these it ever removes. */
export type Manifest = z.infer<typeof schema>;

/** Throws when it is not a list that drover wrote. */
export function parseManifest(value: unknown): Manifest {
  return schema.parse(value);
}
