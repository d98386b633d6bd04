import type { HandlerCall } from './handler.ts';
import type { PassingInstance } from './passing-instances.ts';
import type { Happening, ReactionDefinition } from './reaction.ts';

/** A handler that is to be run: what happened, when, and what was there. */
export interface ReactionAct {
  readonly happening: Happening;
  readonly atMs: number;
  readonly instances: readonly PassingInstance[];
}

/** What a reaction's handler is given: JSON on stdin, and the same in variables that a small shell script can use. Pure. */
export function reactionCall(
  { name, service }: Pick<ReactionDefinition, 'name' | 'service'>,
  { happening, atMs, instances }: ReactionAct,
): HandlerCall {
  const [first] = instances;
  const at = new Date(atMs).toISOString();
  return {
    input: `${JSON.stringify({ reaction: name, service, happening, at, instances })}\n`,
    index: '1',
    variables: {
      DROVER_REACTION: name,
      DROVER_SERVICE: service,
      DROVER_HAPPENING: happening,
      DROVER_ADDRESS: first?.address ?? '',
      DROVER_PORT: first === undefined ? '' : String(first.port),
      DROVER_INSTANCES: instances.map((one) => hostPort(one)).join(' '),
    },
  };
}

/** One more act behind those that wait: a service that is up again needs no `down` that has not begun, nor the reverse. Pure. */
export function queueAct(waiting: readonly ReactionAct[], act: ReactionAct): readonly ReactionAct[] {
  const isLevel = act.happening === 'up' || act.happening === 'down';
  const kept = waiting.filter(({ happening }) => !(isLevel && (happening === 'up' || happening === 'down')));
  return [...kept, act];
}

function hostPort({ address, port }: PassingInstance): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
