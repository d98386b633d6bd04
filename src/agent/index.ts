export { Agent } from './agent.ts';
export type { AgentOptions } from './agent-options.ts';
export type { AgentConfig, AgentFlags, NodeConfig } from './config/config.ts';
export { loadConfig } from './config/load-config.ts';
export { openLog, type Log } from './log.ts';
export { moveStore, type Migration, type MoveStoreOptions } from './move-store.ts';
export { runAgent, type StopSignal } from './run-agent.ts';
