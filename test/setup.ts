import fc from 'fast-check';

/** Properties look at the same cases in every run; DROVER_SEED gives others, to hunt for what those miss. */
const SEED = Number(process.env['DROVER_SEED'] ?? 20_261_121);

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: SEED });
