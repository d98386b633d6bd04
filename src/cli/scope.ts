import type { Invocation, OptionSpec } from './command.ts';

/** Which federation is meant. */
export const FEDERATION_OPTION: OptionSpec = {
  flags: '--federation <name>',
  text: 'the federation; default "default"',
};

/** Where a datastore belongs. */
export const SCOPE_OPTIONS: readonly OptionSpec[] = [
  FEDERATION_OPTION,
  { flags: '--region <name>', text: 'only this region; default: every region without a value of its own' },
];

/** Which of the agent's nodes is meant. */
export const NODE_OPTION: OptionSpec = { flags: '--node <name>', text: 'one of the agent’s nodes; default its first' };

/** How many changes are shown. */
export const LIMIT_OPTION: OptionSpec = {
  flags: '--limit <count>',
  text: 'at most so many, the newest; default 50',
  value: 'index',
};

/** The limit that the options name. */
export function limitOf(options: Invocation['options']): { limit?: number } {
  const limit = options['limit'];
  return typeof limit === 'number' ? { limit } : {};
}

/** The scope that the options name. */
export function scopeOf({ options }: Invocation): { federation?: string; region?: string } {
  return { ...textOption('federation', options), ...textOption('region', options) };
}

/** The node that the options name. */
export function nodeOf({ options }: Invocation): { node?: string } {
  return textOption('node', options);
}

/** A text option under its name; nothing when it is not given. */
export function textOption<Key extends string>(key: Key, options: Invocation['options']): { [K in Key]?: string } {
  const value = options[key];
  return (typeof value === 'string' ? { [key]: value } : {}) as { [K in Key]?: string };
}
