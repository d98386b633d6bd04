import type { Invocation } from './command.ts';

/** The end of a command that changed access control, which is in force at once. */
export function reportAclChange({ output }: Pick<Invocation, 'output'>, value: object, line: string): number {
  output.data(value, []);
  if (!output.json) output.say(line);
  return 0;
}
