import { defineError } from '../lib/index.ts';

export const linkProtocol = defineError(
  'LINK_PROTOCOL',
  400,
  (theirs: unknown, ours: number) => `the node speaks link protocol ${String(theirs)}, this server speaks ${ours}`,
  { hint: 'run the same version of drover on both' },
);
export const linkOldEpoch = defineError(
  'LINK_OLD_EPOCH',
  409,
  (node: string, theirs: number, known: number) =>
    `node ${node} greeted with epoch ${theirs}, but epoch ${known} has spoken for it since`,
  { hint: 'another agent runs under this node name, or this one works on an old copy of its data directory' },
);
export const linkBadGreeting = defineError(
  'LINK_BAD_GREETING',
  400,
  (why: string) => `the node's first message is not a greeting: ${why}`,
);
export const linkRefused = defineError(
  'LINK_REFUSED',
  503,
  (node: string, code: string, why: string) => `the region refused the link of node ${node}: ${why} (${code})`,
);
export const linkClosed = defineError('LINK_CLOSED', 503, (why: string) => `the link is closed: ${why}`, {
  hint: 'the node connects again by itself; what it has to say is kept until then',
});
export const linkAway = defineError('LINK_AWAY', 503, (node: string) => `node ${node} has no link to this server`, {
  hint: 'see drover node:show; an order needs the agent to be up',
});
export const linkUnknownQuestion = defineError(
  'LINK_UNKNOWN_QUESTION',
  501,
  (kind: string, who: string) => `${who} does not know the question "${kind}"`,
  { hint: 'run the same version of drover on both' },
);
export const linkNoAnswer = defineError(
  'LINK_NO_ANSWER',
  504,
  (kind: string, who: string, waitedMs: number) => `${who} has not answered "${kind}" within ${waitedMs} ms`,
);
export const linkBusy = defineError(
  'LINK_BUSY',
  503,
  (kind: string, open: number) => `"${kind}" is not taken while ${open} other questions of this link are open`,
);
export const linkUnreachable = defineError(
  'LINK_UNREACHABLE',
  503,
  (url: string, why: string) => `cannot link to ${url}: ${why}`,
);
