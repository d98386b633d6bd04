import { CONSUL_VERSION } from '../../lib/index.ts';
import { packageVersion } from '../commands/version.ts';

/** What `consul version` prints; clients parse the first line. */
export function consulVersion(): string {
  return [
    `Consul v${CONSUL_VERSION}`,
    `Revision drover-${packageVersion()}`,
    'Protocol 2 spoken by default, understands 2 to 3 (agent will automatically use protocol >2 when speaking to compatible agents)',
    '',
  ].join('\n');
}
