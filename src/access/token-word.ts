import { z } from 'zod';
import type { Rule } from './rule.ts';

/** What a server says of a token to an agent: plain data. */
export interface TokenWord {
  readonly accessor: string;
  /** It may do everything. */
  readonly isManagement: boolean;
  /** Of all its policies, roles and identities together. */
  readonly rules: readonly Omit<Rule, 'source'>[];
}

/** Far more than any token has. */
const MOST_RULES = 100_000;

const schema = z.object({
  accessor: z.string(),
  isManagement: z.boolean(),
  rules: z
    .array(
      z.object({
        resource: z.enum([
          'acl',
          'agent',
          'event',
          'key',
          'keyring',
          'mesh',
          'node',
          'operator',
          'peering',
          'query',
          'service',
          'session',
        ]),
        match: z.enum(['exact', 'prefix']),
        name: z.string(),
        level: z.enum(['deny', 'read', 'list', 'write']),
      }),
    )
    .max(MOST_RULES),
});

/** Reads what came from a server; undefined for what is no such word. */
export function parseTokenWord(value: unknown): TokenWord | undefined {
  return schema.safeParse(value).data;
}
