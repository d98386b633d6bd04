import { configDefaults, defineConfig } from 'vitest/config';

const shared = {
  setupFiles: ['test/setup.ts'],
  experimental: { viteModuleRunner: false },
  execArgv: ['--disable-warning=ExperimentalWarning'],
};

/** Beside what they test, and too slow for every save: fuzz, long random histories, whole agents (docs/decisions/165). */
const SLOW = 'src/**/*.slow.test.ts';

export default defineConfig({
  test: {
    reporters: ['default'],
    projects: [
      {
        test: {
          ...shared,
          name: 'unit',
          include: ['src/**/*.test.ts', 'client/**/*.test.ts', 'test/unit/**/*.test.ts'],
          exclude: [...configDefaults.exclude, SLOW],
          pool: 'threads',
          isolate: false,
          maxWorkers: 2,
          testTimeout: 10_000,
        },
      },
      {
        test: {
          ...shared,
          name: 'integration',
          setupFiles: [...shared.setupFiles, 'test/stolen-time.ts'],
          retry: { count: 2, condition: /^the host took the processors away/ },
          include: ['test/integration/**/*.test.ts', SLOW],
          pool: 'forks',
          isolate: true,
          maxWorkers: 2,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
