/** What the base fee of the next block follows from. */
export interface FeeParent {
  readonly gasUsed: bigint;
  readonly gasLimit: bigint;
  readonly baseFeePerGas: bigint;
}

/** Base fee per gas, in wei, of the block after `parent`. Source: EIP-1559 (elasticity 2, change denominator 8). */
export function nextBaseFee(parent: FeeParent): bigint {
  const { gasUsed, baseFeePerGas } = parent;
  const target = parent.gasLimit / 2n;
  if (gasUsed > target) {
    const rise = (baseFeePerGas * (gasUsed - target)) / target / 8n;
    return baseFeePerGas + (rise > 0n ? rise : 1n);
  }
  return baseFeePerGas - (baseFeePerGas * (target - gasUsed)) / target / 8n;
}
