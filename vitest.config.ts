import { defineConfig } from 'vitest/config';

const project = (name: string, extra: object = {}) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], ...extra },
});

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      project('tidy', { testTimeout: 60_000 }),
      project('unit', { testTimeout: 60_000, setupFiles: ['test/help/propertySeed.ts'] }),
      project('sim', { testTimeout: 120_000 }),
      project('wire', { testTimeout: 30_000, hookTimeout: 30_000 }),
      project('e2e', { testTimeout: 120_000, hookTimeout: 60_000, fileParallelism: false }),
    ],
  },
});
