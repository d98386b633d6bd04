import type { Command } from './command.ts';
import { describeOption, usageLine } from './help.ts';
import { COMMON_OPTIONS } from './parse-arguments.ts';

/** docs/reference/cli.md: every command from the table that runs them. Pure. */
export function cliManual(commands: ReadonlyMap<string, Command>): string {
  return `# Command line

Made by \`npm run generate\` from the commands themselves; \`drover COMMAND --help\` says the same.

\`\`\`
drover COMMAND [ARGUMENTS] [OPTIONS]
\`\`\`

Data goes to stdout, everything else to stderr. An error has a code, a place where there is one, and a hint:

\`\`\`
error DEFINITION_SYNTAX: services/app-www.json:10:5: expected ',' before "PORT"
   9 |     "ENV": "production"
  10 |     "PORT": 8080
     |     ^
hint: add a comma at the end of line 9
\`\`\`

With \`--json\`, stdout is one JSON value, and each line on stderr is one: \`{"message": "…"}\`, or \`{"error": {"code", "message", "hint", …}}\`
([all errors](errors.md)).

| exit status | |
| --- | --- |
| 0 | done |
| 1 | failed, or not in time |
| 2 | usage or invalid input; nothing was changed |
| 3 | a requirement is not resolved |
| 4 | not found |
| 5 | denied |
| 6 | conflict, or it exists already |

\`drover exec\` ends with the status of the command it runs. Ctrl-C is 130.

| every command takes | |
| --- | --- |
${optionRows(COMMON_OPTIONS)}
| \`--help\` | its help, with an example |

| environment variable | |
| --- | --- |
| \`DROVER_HTTP_ADDR\`, \`CONSUL_HTTP_ADDR\` | the agent: \`http://127.0.0.1:8500\`, \`127.0.0.1:8500\` |
| \`DROVER_TOKEN\`, \`CONSUL_HTTP_TOKEN\` | the token that every request shows |

${[...commands].map(([name, command]) => section(name, command)).join('\n')}`;
}

function section(name: string, command: Command): string {
  const parts = [
    `## ${name}`,
    `${command.summary}.`,
    `\`\`\`\n${usageLine(name, command)}\n\`\`\``,
    ...(command.detail === undefined ? [] : [command.detail]),
    ...(command.options.length === 0 ? [] : [`| option | |\n| --- | --- |\n${optionRows(command.options)}`]),
    `\`\`\`sh\n${command.example}\n\`\`\``,
  ];
  return `${parts.join('\n\n')}\n`;
}

function optionRows(options: Command['options']): string {
  return options.map((option) => `| \`${cell(option.flags)}\` | ${cell(describeOption(option))} |`).join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', String.raw`\|`);
}
