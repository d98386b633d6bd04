export type { Command } from './command.ts';
export { loadCommands } from './commands.ts';
export { cliManual } from './manual.ts';
export { main } from './main.ts';
