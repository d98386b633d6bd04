import { ApiError } from '../../../client/src/index.ts';
import { findAclId } from '../acl-find.ts';
import { reportAclChange } from '../acl-report.ts';
import type { Command } from '../command.ts';
import { usageError } from '../errors.ts';
import { readTextValue } from '../read-value.ts';

/** Makes a policy of a file of rules, or replaces one. */
export const aclPolicyWrite: Command = {
  usage: 'acl:policy-write <name> <file>',
  summary: 'Make or replace a policy, whose rules stand in a file',
  detail:
    'Rules are HCL or JSON. With - for the file, they are read from standard input. What is wrong is said with its place.',
  example: 'drover acl:policy-write ops ops.hcl --description "what operators may"',
  options: [{ flags: '--description <text>', text: 'what it is for' }],
  async run(invocation) {
    const { args, client, host, options } = invocation;
    const [name, file] = args as [string, string];
    const Rules = file === '-' ? await readTextValue('-', host) : await readRules(file);
    const id = await findAclId(client, 'policy', name);
    const body = { Name: name, Rules, Description: options['description'] ?? '' };
    const path = id === undefined ? '/v1/acl/policy' : `/v1/acl/policy/${id}`;
    const { revision } = await client.request(path, { method: 'PUT', body }).catch((error: unknown) => {
      throw placedIn(file, error);
    });
    return reportAclChange(
      invocation,
      { policy: name },
      `policy ${name} is ${id === undefined ? 'made' : 'replaced'} at r${revision}`,
    );
  },
};

async function readRules(file: string): Promise<string> {
  const { readFile } = await import('node:fs/promises');
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw usageError.with({ cause: error }, `cannot read ${file}: ${(error as Error).message}`);
  });
}

/** What is wrong with rules, with the file before its place as editors and terminals know it: `ops.hcl:3:3`. */
function placedIn(file: string, error: unknown): unknown {
  if (file === '-' || !(error instanceof ApiError)) return error;
  const message = error.message.replace(/^(Failed to parse ACL rules: )(?=\d+:\d+: )/, (start) => `${start}${file}:`);
  return new ApiError(error.status, { ...error.error, message });
}
