import type { ServiceEnvironment } from '../registry/index.ts';
import { messageOf } from '../lib/index.ts';
import { renderEnvironment } from './render.ts';
import { unresolvedOf } from './resolved.ts';

/** A service whose file keeps its old content, and why; reasons hold names, never values. */
export interface KeptFile {
  readonly service: string;
  /** `refused`: nobody can provide it as things are declared; `held`: it waits for an instance's first value. */
  readonly outcome: 'refused' | 'held';
  readonly reason: string;
}

/** What is to be done to a directory of environment files. */
export interface FilePlan {
  readonly write: readonly { readonly service: string; readonly file: string; readonly content: string }[];
  readonly kept: readonly KeptFile[];
  /** Files that drover wrote for services which the node no longer has. */
  readonly remove: readonly string[];
}

/** Decides about the files of a node; `written` are those that drover wrote before. */
export function planFiles(environments: readonly ServiceEnvironment[], written: readonly string[]): FilePlan {
  const planned = environments.map((environment) => planFile(environment));
  const current = new Set(environments.map(({ service }) => fileNameOf(service)));
  return {
    write: planned.filter((one) => 'content' in one),
    kept: planned.filter((one) => 'reason' in one),
    remove: written.filter((file) => !current.has(file)),
  };
}

/** `<service>.conf`, with whatever could leave the directory percent-encoded. */
export function fileNameOf(service: string): string {
  return `${encodeURIComponent(service)}.conf`;
}

function planFile(environment: ServiceEnvironment): FilePlan['write'][number] | KeptFile {
  const { service } = environment;
  const { missing, waiting } = unresolvedOf(environment);
  if (missing.length > 0)
    return keep(service, 'refused', [...missing.map((name) => `${name} is missing`), ...waits(waiting)]);
  if (waiting.length > 0) return keep(service, 'held', waits(waiting));
  try {
    return { service, file: fileNameOf(service), content: renderEnvironment(environment, 'shell', { reveal: true }) };
  } catch (error) {
    return { service, outcome: 'refused', reason: messageOf(error) };
  }
}

function keep(service: string, outcome: KeptFile['outcome'], parts: readonly string[]): KeptFile {
  return { service, outcome, reason: `${service}: ${parts.join(', ')}` };
}

function waits(names: readonly string[]): readonly string[] {
  return names.map((name) => `${name} has no value yet`);
}
