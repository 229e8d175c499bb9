/**
 * Block of Byzantium (EIP-658), from which on receipts hold a status instead of the root of the state behind each transaction, by
 * chain id: mainnet (EIP-609), Ropsten, Ethereum Classic (ECIP-1054, Atlantis).
 */
const STATUS_FROM: Readonly<Record<number, number>> = { 1: 4_370_000, 3: 1_700_000, 61: 8_772_000 };

/** First block whose receipts hold a status; 0 for chains that had it from the start, or where that is not known. */
export function statusFrom(chainId: number): number {
  return STATUS_FROM[chainId] ?? 0;
}
