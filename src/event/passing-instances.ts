import { digest } from '../lib/index.ts';
import type { ApiAnswer } from './ask.ts';

/** An instance as handlers of reactions are given it. */
export interface PassingInstance {
  readonly node: string;
  readonly id: string;
  readonly address: string;
  readonly port: number;
  readonly tags: readonly string[];
  readonly meta: Readonly<Record<string, string>>;
}

interface Row {
  readonly Node: { readonly Node: string; readonly Address: string };
  readonly Service: {
    readonly ID: string;
    readonly Address: string;
    readonly Port: number;
    readonly Tags: readonly string[] | null;
    readonly Meta: Readonly<Record<string, string>> | null;
  };
}

/** The instances of an answer of `/v1/health/service`. @throws SyntaxError for one that is not JSON */
export function passingInstances({ status, body }: Pick<ApiAnswer, 'status' | 'body'>): readonly PassingInstance[] {
  if (status === 404) return [];
  return (JSON.parse(body) as readonly Row[]).map(({ Node, Service }) => ({
    node: Node.Node,
    id: Service.ID,
    address: Service.Address === '' ? Node.Address : Service.Address,
    port: Service.Port,
    tags: Service.Tags ?? [],
    meta: Service.Meta ?? {},
  }));
}

/** Equal for equal instances; null for none. */
export function digestOf(instances: readonly PassingInstance[]): string | null {
  return instances.length === 0 ? null : digest(instances);
}
