import type { WireListener } from '../../client/src/index.ts';

/** A listener's state for people. */
export function listenerLines(status: WireListener): string[] {
  const doing = status.running ? 'a provision runs' : 'no provision runs';
  const queued = status.queued ? ', one is queued' : '';
  const lines = [`listener is ${status.enabled ? 'on' : 'off'}; ${doing}${queued}; ${status.runs} runs so far`];
  if (status.last === null) return [...lines, 'it has not provisioned yet'];
  const { startedAt, endedAt, exitCode, causes } = status.last;
  return [
    ...lines,
    `last run: exit ${exitCode}, ${startedAt} to ${endedAt}, because ${causes.join(', ') || 'it was asked for'}`,
  ];
}
