import type { Command } from '../command.ts';
import { examine } from '../doctor/examine.ts';
import { findingsOf, type Finding } from '../doctor/findings.ts';

/** Says what is wrong and how to mend it. */
export const doctor: Command = {
  usage: 'doctor',
  summary: 'Say what is wrong and how to mend it; exit 1 when something is',
  detail:
    'It looks at the store, all services and nodes, who is late, and the environments, listeners and balancers of the agent’s nodes.',
  example: 'drover doctor',
  options: [],
  async run({ client, output }) {
    const findings = findingsOf(await examine(client));
    output.data(findings, doctorLines(findings));
    return findings.some(({ state }) => state === 'wrong') ? 1 : 0;
  },
};

function doctorLines(findings: readonly Finding[]): string[] {
  const wrong = findings.filter(({ state }) => state === 'wrong').length;
  const head = wrong === 0 ? 'all is well' : `${wrong} of ${findings.length} findings are wrong`;
  return [
    head,
    ...findings.flatMap(({ state, what, detail, mend }) => [
      `  ${state.padEnd(5)}  ${what}: ${detail}`,
      ...(mend === undefined ? [] : [`         mend: ${mend}`]),
    ]),
  ];
}
