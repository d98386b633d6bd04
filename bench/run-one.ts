import type { Bench } from './result.ts';

// One benchmark in a process of its own: run-one.ts NAME [--quick]. Sends its result to the process that started it.
const [name = '', flag] = process.argv.slice(2);
// What benchmarks start hangs on the exit of this process.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
const abandoned = (): never => process.exit(1);
process.once('disconnect', abandoned);
const { run } = (await import(`./${name}.ts`)) as { run: Bench };
const result = await run({ quick: flag === '--quick' });
process.off('disconnect', abandoned);
process.send?.(result, () => process.disconnect?.());
