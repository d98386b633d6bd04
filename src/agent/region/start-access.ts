import { Access, AccessWrites, TokenExpiry, type AccessParts } from '../../access/index.ts';
import { reportTo, type AccessOptions, type RegionOptions } from './region-options.ts';
import type { Fed } from './start-feed.ts';
import type { States } from './states.ts';
import { writeWhenPossible } from './write-when-possible.ts';

const EXPIRY_EVERY_MS = 60_000;

/** Who may; the configuration's management token is written now, or as soon as the store takes writes. */
export async function startAccess(
  { accessControl, clock, log }: RegionOptions,
  { aclState: state }: States,
  { feed, fence }: Fed,
  stack: AsyncDisposableStack,
): Promise<AccessParts> {
  const { settings, legacy, tokens, takeResetIndex } = accessControl;
  const access = new Access({ state, tokens, settings, clock });
  const writes = new AccessWrites({ feed, state, clock, legacy });
  const warn = (text: string): void => log.warn({}, text);
  const ensure = (): Promise<void> => ensureManagement(accessControl, { writes });
  stack.defer(await writeWhenPossible(ensure, { clock, warn }));
  const expiry = { writes, fence: fence('tokens'), clock, report: reportTo(log), everyMs: EXPIRY_EVERY_MS };
  if (settings.enabled) stack.use(TokenExpiry.start(expiry));
  return { access, state, writes, tokens, takeResetIndex };
}

/** The management token of the configuration is there, whatever a snapshot held. */
export async function ensureManagement(
  { settings, initialManagement }: AccessOptions,
  { writes }: Pick<AccessParts, 'writes'>,
): Promise<void> {
  if (settings.enabled && initialManagement !== null) await writes.ensureManagement(initialManagement);
}
