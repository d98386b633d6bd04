import { once } from 'node:events';
import net from 'node:net';
import { describeHolder, findPortHolder } from '../lib/index.ts';
import { httpPortTaken } from './errors.ts';

/**
 * Looks whether HTTP could listen there, before anything is started that acts: an agent that cannot answer must not
 * provision a node first. Ports of 0 and below are nobody's.
 *
 * @throws API_PORT_TAKEN naming who holds the port
 */
export async function refuseTakenPort({
  address,
  port,
}: {
  readonly address: string;
  readonly port: number;
}): Promise<void> {
  if (port <= 0) return;
  const probe = net.createServer();
  try {
    probe.listen({ host: address, port });
    await once(probe, 'listening');
    await probe[Symbol.asyncDispose]();
  } catch (error) {
    throw await toListenError(error, address, port);
  }
}

/** What listening threw; a taken port with the name of who holds it. */
export async function toListenError(error: unknown, address: string, port: number): Promise<Error> {
  if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') return error as Error;
  const holder = await findPortHolder(address, port).catch(() => null);
  return httpPortTaken.with(
    { cause: error },
    address,
    port,
    holder === null ? 'another program' : describeHolder(holder),
  );
}
