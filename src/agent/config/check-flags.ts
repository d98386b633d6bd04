import { z } from 'zod';
import { describeValue } from '../../definition/index.ts';
import { TIMING } from '../../lib/index.ts';
import type { AgentFlags } from './config.ts';
import { badFlag } from './errors.ts';
import { address, addressList, datacenterSchema, LOG_LEVELS, logLevel, nameSchema, portSchema } from './formats.ts';

const addressTexts = addressList.transform((all) => all.join(' '));

const SCHEMAS = {
  httpPort: [portSchema, 'a port from 1 to 65535, 0 for a free one or -1 for none'],
  dnsPort: [portSchema, 'a port from 1 to 65535, 0 for a free one or -1 for none'],
  node: [nameSchema, 'a name of letters, digits, "-", "_" and "."'],
  datacenter: [datacenterSchema, 'a name of letters, digits, "-" and "_"'],
  bind: [address, 'an IP address'],
  client: [addressTexts, 'an IP address, or several with spaces'],
  timing: [z.enum(['local', 'lan', 'wan']), Object.keys(TIMING).join(', ')],
  logLevel: [logLevel, LOG_LEVELS.join(', ')],
} as const satisfies Partial<Record<keyof AgentFlags, readonly [z.ZodType, string]>>;

/** The flags as their schemas give them; what is not given stays so. @throws CONFIG_BAD_FLAG */
export function checkFlags(flags: AgentFlags): AgentFlags {
  const checked = Object.entries(SCHEMAS).map(([key, [schema, expected]]): [string, unknown] => {
    const given: unknown = flags[key as keyof AgentFlags];
    if (given === undefined) return [key, given];
    const result = schema.safeParse(given);
    if (result.success) return [key, result.data];
    throw badFlag(
      `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
      expected,
      describeValue(given),
    );
  });
  return { ...flags, ...Object.fromEntries(checked.filter(([, value]) => value !== undefined)) };
}
