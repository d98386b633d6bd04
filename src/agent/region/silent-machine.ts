import type { TcpProbe } from '../liveness/index.ts';

/** A port where nothing is expected: a machine that is there refuses it. */
const NOBODYS_PORT = 1;
const SILENT_MS = 1_000;

/** Whether nothing at all comes back from a machine; a connection that is refused is an answer. Never rejects. */
export async function isSilentMachine(probe: TcpProbe, address: string): Promise<boolean> {
  return (await probe({ address, port: NOBODYS_PORT }, SILENT_MS)) === 'silent';
}
