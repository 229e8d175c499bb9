// Property tests take a new seed each run, and tell it where they fail; `FC_SEED=<seed> npx vitest run --project unit <file>` plays it again.
const seed = process.env['FC_SEED'];
if (seed !== undefined) (await import('fast-check')).default.configureGlobal({ seed: Number(seed) });
