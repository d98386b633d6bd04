import { expect, test } from 'vitest';
import { loadCommands } from './commands.ts';
import { cliManual } from './manual.ts';

test('cliManual() has usage, options, example and exit statuses of every command', async () => {
  const commands = await loadCommands();
  const text = cliManual(commands);
  for (const [name, command] of commands) {
    expect(text).toContain(`\n## ${name}\n`);
    expect(text).toContain(command.example);
    for (const { flags } of command.options) expect(text).toContain(`| \`${flags}\` |`);
  }
  expect(text).toContain('| 3 | a requirement is not resolved |');
  expect(text).toContain(String.raw`drover node:maintenance <on|off> [options]`);
});
