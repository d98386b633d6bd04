import { defineError } from '../errors.ts';

export const shimLocked = defineError('SHIM_LOCKED', 409, (lock: string) => `another run holds ${lock}`, {
  hint: 'wait for it to end; lslocks names its process',
});
export const shimUnavailable = defineError('SHIM_UNAVAILABLE', 500, (why: string) => `cannot start a run: ${why}`, {
  hint: 'flock (Debian package util-linux) and a writable state directory are needed',
});
