import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startAnvil } from '../../src/devnet/anvil.ts';
import type { Anvil } from '../../src/devnet/anvil.ts';
import { findAnvil } from '../../src/devnet/binary.ts';

/** A real node on a free port that makes blocks only when told. */
export async function testAnvil(): Promise<Anvil> {
  return startAnvil({
    binary: findAnvil(),
    chain: { chainId: 31_337, genesisTimestamp: 1_700_000_000, hardfork: 'prague' },
    port: 0,
    directory: join(mkdtempSync(join(tmpdir(), 'tidegate-')), 'anvil'),
    startTimeoutMs: 20_000,
  });
}
