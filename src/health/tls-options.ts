import type { CheckDefinition } from '../definition/index.ts';

/** How a check speaks TLS: whose name it asks for, and whether any certificate will do. */
export function tlsOptionsOf({ tlsServerName, tlsSkipVerify }: CheckDefinition): {
  readonly servername?: string;
  readonly rejectUnauthorized: boolean;
} {
  return {
    rejectUnauthorized: tlsSkipVerify !== true,
    ...(tlsServerName === undefined ? {} : { servername: tlsServerName }),
  };
}
