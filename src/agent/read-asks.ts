import { z } from 'zod';
import type { Ask, RegionQuestions } from '../link/index.ts';
import { badQuestion } from './errors.ts';

/** A whole message of DNS in base64. */
const MOST_PACKET = 4 * Math.ceil(65_535 / 3);
const HEADER_OCTETS = 12;

const DNS = z.object({
  packet: z.string().max(MOST_PACKET),
  transport: z.enum(['udp', 'tcp']),
  maxBytes: z.int().min(HEADER_OCTETS).max(65_535).nullable(),
  client: z.string().max(64),
});
const ACCESS = z.object({ secret: z.string().max(4_096) });

/** What a node's DNS asks; it comes unchecked from another process. @throws AGENT_BAD_QUESTION */
export function readDnsAsk(ask: unknown): Ask<RegionQuestions, 'dns'> {
  return read('dns', DNS, ask);
}

/** Of which token an agent asks. @throws AGENT_BAD_QUESTION, which does not quote it */
export function readAccessAsk(ask: unknown): Ask<RegionQuestions, 'access'> {
  return read('access', ACCESS, ask);
}

function read<T>(kind: string, schema: z.ZodType<T>, ask: unknown): T {
  const { success, data, error } = schema.safeParse(ask);
  if (success) return data;
  const [issue] = error.issues;
  throw badQuestion(kind, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'it is none'}`);
}
