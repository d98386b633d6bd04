import { packageVersion } from '../commands/version.ts';

/** The level of Consul that drover speaks; clients parse the first line. */
const SPOKEN = '1.22.0';

/** What `consul version` prints. */
export function consulVersion(): string {
  return [
    `Consul v${SPOKEN}`,
    `Revision drover-${packageVersion()}`,
    'Protocol 2 spoken by default, understands 2 to 3 (agent will automatically use protocol >2 when speaking to compatible agents)',
    '',
  ].join('\n');
}
