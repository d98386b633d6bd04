import type { Host } from '../host.ts';
import { runUntilSignalled } from '../run-until-signalled.ts';
import { consulAgentFlags } from './agent-flags.ts';

/** `consul agent`: drover's agent by Consul's flags. */
export async function runConsulAgent(words: readonly string[], host: Host): Promise<number> {
  if (words.some((word) => /^--?h(?:elp)?$/.test(word))) {
    host.stdout("Usage: consul agent [flags]\n\nTakes Consul's flags; drover agent --help describes drover's own.\n");
    return 0;
  }
  const flags = consulAgentFlags(words, host.environment);
  await runUntilSignalled(flags, host);
  return 0;
}
