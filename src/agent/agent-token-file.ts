import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { agentTokenKind, type AgentTokenSecrets } from '../access/index.ts';
import { writeAtomically } from '../lib/index.ts';
import { unusableTokenFile } from './errors.ts';

/** Agent tokens that were set over the API, in the data directory, readable by its owner alone. */
export class AgentTokenFile {
  readonly #file: string;

  constructor(dataDirectory: string) {
    this.#file = path.join(dataDirectory, 'acl-tokens.json');
  }

  /** Nothing when there is no file. @throws AGENT_TOKEN_FILE for one that cannot be read; nothing of it is said */
  async read(): Promise<AgentTokenSecrets> {
    const text = await readFile(this.#file, 'utf8').catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '{}';
      throw unusableTokenFile(this.#file);
    });
    return secretsOf(text) ?? fail(this.#file);
  }

  async keep(secrets: AgentTokenSecrets): Promise<void> {
    await writeAtomically(this.#file, `${JSON.stringify(secrets)}\n`, { mode: 0o600 });
  }
}

function secretsOf(text: string): AgentTokenSecrets | undefined {
  try {
    const value = JSON.parse(text) as object;
    const isSound = Object.entries(value).every(
      ([name, one]) => agentTokenKind(name) === name && typeof one === 'string',
    );
    return isSound ? value : undefined;
  } catch {
    return undefined;
  }
}

function fail(file: string): never {
  throw unusableTokenFile(file);
}
