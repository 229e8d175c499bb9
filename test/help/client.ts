import { HDNodeWallet, Mnemonic, type TransactionRequest } from 'ethers';

/** A JSON-RPC error as an exception. */
export class RpcError extends Error {
  readonly code: number;
  readonly status: number;

  constructor(code: number, message: string, status: number) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/** Sends one call and gives its result. @throws RpcError for an error answer; TypeError when nothing answers */
export async function rpc<T = unknown>(url: string, method: string, params: readonly unknown[] = []): Promise<T> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  const body = (await answer.json()) as { result?: T; error?: { code: number; message: string } };
  if (body.error !== undefined) throw new RpcError(body.error.code, body.error.message, answer.status);
  return body.result as T;
}

/** anvil's well-known accounts; they own 10,000 ether each on every fresh chain. */
const MNEMONIC = Mnemonic.fromPhrase('test test test test test test test test test test test junk');

/** Development account 0 to 9, without a provider. */
export function devWallet(index: number): HDNodeWallet {
  return HDNodeWallet.fromMnemonic(MNEMONIC, `m/44'/60'/0'/0/${index}`);
}

/** Signs transactions of one account, counting nonces itself. */
export class Signer {
  readonly wallet: HDNodeWallet;
  readonly #chainId: number;
  #nonce = 0;

  constructor(index: number, chainId = 31337) {
    this.wallet = devWallet(index);
    this.#chainId = chainId;
  }

  /** A signed transfer of 1 wei to the zero address + 1, changed by `over`. Fees of 10 gwei fit every devnet block. */
  sign(type: 0 | 2 = 2, over: TransactionRequest = {}): Promise<string> {
    const fees = type === 0 ? { gasPrice: 10n ** 10n } : { maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 10n ** 9n };
    const nonce = this.#nonce;
    this.#nonce += 1;
    const to = '0x0000000000000000000000000000000000000001';
    return this.wallet.signTransaction({ type, chainId: this.#chainId, nonce, to, value: 1n, gasLimit: 30_000n, ...fees, ...over });
  }
}
