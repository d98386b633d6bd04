import { defineError } from '../errors.ts';

export const badFilter = defineError('LIB_BAD_FILTER', 400, (what: string) => what);
