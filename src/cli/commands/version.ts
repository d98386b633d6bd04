import { readFileSync } from 'node:fs';
import type { Command } from '../command.ts';

/** Says which drover this is. */
export const version: Command = {
  usage: 'version',
  summary: 'Say which version this is',
  example: 'drover version',
  options: [],
  run({ output }) {
    const value = { version: packageVersion(), node: process.versions.node };
    output.data(value, [versionLine()]);
    return Promise.resolve(0);
  },
};

/** Such as `drover 0.1.0 (Node 26.10.0)`. */
export function versionLine(): string {
  return `drover ${packageVersion()} (Node ${process.versions.node})`;
}

/** The version of the package. */
export function packageVersion(): string {
  const file = new URL('../../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
