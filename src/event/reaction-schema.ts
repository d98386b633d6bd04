import { z } from 'zod';
import { parseDuration } from '../lib/index.ts';
import type { HandlerDefinition } from './handler.ts';
import type { ReactionDefinition } from './reaction.ts';
import { handlerFields, type HandlerInput, handlerProblems, toHandler } from './watch-schema.ts';

const text = z.string().min(1);
const duration = z.string().refine(isDuration, 'expected a duration such as "5m" or "90s"').transform(parseDuration);

const handler = z.strictObject(handlerFields).superRefine((input, context) => {
  for (const { key, message } of handlerProblems(input))
    context.addIssue({ code: 'custom', path: key === '' ? [] : [key], message });
});

/** `expect` of a reaction. */
export const expectSchema = z
  .strictObject({
    service: text.optional().describe('What is expected; default the service itself.'),
    within: duration.describe('How long it may take.'),
    else: handler.optional().describe('Runs when it has not come by then: keys of a handler.'),
  })
  .describe('What has to be there in time.');

/** `on_down` of a reaction. */
export const onDownSchema = z
  .strictObject({
    ...handlerFields,
    after: duration.optional().describe('It counts as down only after so long; default at once.'),
    expect: expectSchema.optional(),
  })
  .describe('What is done when nothing of the service is passing any more: keys of a handler, and these.');

/** `on_up` of a reaction. */
export const onUpSchema = z
  .strictObject({
    ...handlerFields,
    watch_for: duration.optional().describe('How long it is kept an eye on.'),
    else: handler.optional().describe('Runs when it goes down again within `watch_for`: keys of a handler.'),
    well: handler.optional().describe('Runs when it has not: keys of a handler.'),
  })
  .describe('What is done when it passes, or others of it than before: keys of a handler, and these.');

const reactionObject = z.strictObject({
  name: text.describe('Name of the reaction; one of its own on each node.'),
  service: text.describe('The service.'),
  tag: z
    .union([text, z.array(text)])
    .optional()
    .describe('Only instances with this tag, or all of these.'),
  on_down: onDownSchema.optional(),
  on_up: onUpSchema.optional(),
  token: text.optional().describe('Whose rights it has; default those of the agent.'),
});
export type ReactionInput = z.output<typeof reactionObject>;

/** One of `reactions`. */
export const reactionSchema = reactionObject.superRefine((input, context) => {
  const issue = (path: string[], message: string): void => context.addIssue({ code: 'custom', path, message });
  for (const key of ['on_down', 'on_up'] as const) {
    const given = input[key];
    if (given === undefined || !namesHandler(given)) continue;
    for (const problem of handlerProblems(given))
      issue([key, ...(problem.key === '' ? [] : [problem.key])], problem.message);
  }
  const up = input.on_up;
  if (up !== undefined && up.watch_for === undefined && (up.else ?? up.well) !== undefined)
    issue(['on_up'], '"else" and "well" need "watch_for"');
  if (Object.keys(toReaction(input, '/').handlers).length === 0) issue([], 'it has no handler');
});

/** The reaction that an input means; `cwd` is the directory of the file that it stands in. */
export function toReaction(input: ReactionInput, cwd: string): ReactionDefinition {
  const { name, service, tag = [], on_down: down = {}, on_up: up = {}, token } = input;
  const { expect } = down;
  return {
    name,
    service,
    tags: [tag].flat(),
    downAfterMs: down.after ?? 0,
    expect: expect === undefined ? null : { service: expect.service ?? service, withinMs: expect.within },
    watchForMs: up.watch_for ?? null,
    handlers: {
      ...one('down', down, cwd),
      ...one('missing', expect?.else, cwd),
      ...one('up', up, cwd),
      ...one('relapse', up.else, cwd),
      ...one('well', up.well, cwd),
    },
    token: token ?? null,
  };
}

function one(name: string, input: HandlerInput | undefined, cwd: string): Record<string, HandlerDefinition> {
  return input === undefined || !namesHandler(input) ? {} : { [name]: toHandler(input, cwd) };
}

function namesHandler(input: HandlerInput): boolean {
  return (Object.keys(handlerFields) as (keyof HandlerInput)[]).some((key) => input[key] !== undefined);
}

function isDuration(value: string): boolean {
  try {
    return parseDuration(value) >= 0;
  } catch {
    return false;
  }
}
