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
export const linkCrowded = defineError(
  'LINK_CROWDED',
  503,
  (address: string, most: number) => `${address} has ${most} links here already, and does not say who it is`,
  { hint: 'give the agent a token: acl.tokens.agent' },
);
export const linkUnreachable = defineError(
  'LINK_UNREACHABLE',
  503,
  (url: string, why: string) => `cannot link to ${url}: ${why}`,
);
export const peerUnknown = defineError(
  'LINK_UNKNOWN_SERVER',
  403,
  (server: string) => `"${server}" is not among the servers that run, or was started again`,
  { hint: 'it is as soon as its record is in the store of the region: do both use the same store?' },
);
export const peerUnproven = defineError(
  'LINK_UNPROVEN',
  403,
  (server: string, why: string) => `"${server}" has not proven to be a server of this region: ${why}`,
);
export const peerOther = defineError(
  'LINK_OTHER_SERVER',
  409,
  (expected: string, found: string) => `at the address of server ${expected} is ${found}, or another start of it`,
  { hint: 'two servers that advertise one address? compare client_addr and advertise_addr' },
);
export const peerRefused = defineError(
  'LINK_REFUSED_BY_SERVER',
  503,
  (server: string, code: string, why: string) => `server ${server} refused the link: ${why} (${code})`,
);
