import { appendFile, chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, loadConfig } from '../../src/agent/index.ts';

/** What a handler was given. */
export interface HandlerRun {
  readonly input: unknown;
  readonly index: string;
  readonly watch: string;
}

/** An agent of this process with a folder of its own: started, stopped and started again on the same state. */
export class EventAgent implements AsyncDisposable {
  readonly folder: string;
  readonly lines: string[] = [];
  #agent: Agent | null = null;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(): Promise<EventAgent> {
    const folder = await mkdtemp(path.join(tmpdir(), 'drover-event-'));
    const made = new EventAgent(folder);
    await made.writeFile(
      'handler.sh',
      `#!/bin/sh\nprintf '%s\\t%s\\t' "$CONSUL_INDEX" "$DROVER_WATCH" >> "$1"\ncat >> "$1"\n`,
      0o755,
    );
    return made;
  }

  at(name: string): string {
    return path.join(this.folder, name);
  }

  /** A handler that appends what it is given to a file of that name. */
  handler(name: string): { args: string[] } {
    return { args: [this.at('handler.sh'), this.at(name)] };
  }

  async writeFile(name: string, content: string, mode = 0o644): Promise<void> {
    const file = this.at(name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(`${file}.new`, content);
    await chmod(`${file}.new`, mode);
    await rename(`${file}.new`, file);
  }

  async start(config: object): Promise<void> {
    await this.writeFile('agent.json', JSON.stringify(config));
    const flags = { server: true, httpPort: 0, dnsPort: -1, timing: 'local', dataDir: this.at('data') } as const;
    const readConfig = () => loadConfig({ ...flags, configFile: [this.at('agent.json')] });
    const tell = (level: string) => (fields: object, text: string) =>
      void this.lines.push(`${level}: ${text} ${JSON.stringify(fields)}`);
    const log = { debug: () => {}, info: tell('info'), warn: tell('warn'), error: tell('error') };
    this.#agent = await Agent.start({ config: await readConfig(), version: '0.0.0', log, readConfig });
  }

  async reload(config: object): Promise<void> {
    await this.writeFile('agent.json', JSON.stringify(config));
    await this.#agent?.reload();
  }

  async stop(): Promise<void> {
    await this.#agent?.[Symbol.asyncDispose]();
    this.#agent = null;
  }

  get address(): string {
    return this.#agent?.httpAddress ?? '';
  }

  async put(url: string, body: string | object = ''): Promise<Response> {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const response = await fetch(`${this.address}/v1/${url}`, { method: 'PUT', body: text });
    if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
    return response;
  }

  async get(url: string): Promise<unknown> {
    return (await fetch(`${this.address}/v1/${url}`)).json();
  }

  async runs(name: string): Promise<HandlerRun[]> {
    const text = await readFile(this.at(name), 'utf8').catch(() => '');
    const rows = text.split('\n').slice(0, -1);
    return rows.map((row) => {
      const [index = '', watch = '', input = ''] = row.split('\t');
      return { index, watch, input: JSON.parse(input) as unknown };
    });
  }

  /** The runs once there are so many; a moment later there must not be more. */
  async ran(name: string, count: number): Promise<HandlerRun[]> {
    for (const end = Date.now() + 15_000; Date.now() < end; await sleep(20)) {
      if ((await this.runs(name)).length >= count) break;
    }
    await sleep(150);
    const runs = await this.runs(name);
    if (runs.length !== count)
      throw new Error(`${runs.length} runs, not ${count}: ${JSON.stringify(runs)}\n${this.lines.join('\n')}`);
    return runs;
  }

  async append(name: string, text: string): Promise<void> {
    await appendFile(this.at(name), text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
