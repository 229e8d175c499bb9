/** What an answer is derived from and to: methods. */
export interface Pair {
  readonly source: string;
  readonly target: string;
}

/** One derived answer held against the node's own. */
export interface Compared extends Pair {
  /** What `web3_clientVersion` says of the node that gave both. */
  readonly client: string;
  /** What kind of answer it was, such as the type of the transaction. */
  readonly trait: string;
  /** Stands for the call: the same one again proves nothing new. */
  readonly key: string;
  readonly same: boolean;
}

/** `open`: not sampled enough; `on`: enough samples were the same; `off`: one differed. */
export type ProofState = 'open' | 'on' | 'off';

/** One pair of one client, for people. */
export interface ProofLine extends Pair {
  readonly client: string;
  readonly state: ProofState;
  /** Samples that were the same; an odd one is not counted among them. */
  readonly same: number;
}

/** Clients, and kinds of answers of one pair, that are told apart; nothing is derived for more. */
const MAX_CLIENTS = 64;
const MAX_TRAITS = 32;

class Proof {
  isOff = false;
  readonly samples: Compared[] = [];
  readonly keys = new Set<string>();
  readonly traits = new Set<string>();
}

/**
 * For which clients answers derived from other answers are proven to equal the client's own. One pair of methods of one
 * client version is proven by `needed` different samples, and a kind of answer by one of its own; one difference ends it.
 */
export class Proofs {
  /** Samples that must be the same. */
  needed: number;
  private readonly clients = new Map<string, Map<string, Proof>>();

  constructor(needed: number) {
    this.needed = needed;
  }

  /** Hot: whether the client's answers of this kind may be derived. */
  isOn({ source, target }: Pair, client: string, trait: string): boolean {
    const proof = this.clients.get(client)?.get(nameOf(source, target));
    return proof !== undefined && this.stateOf(proof) === 'on' && proof.traits.has(trait);
  }

  /** Whether a sample would tell something. */
  wants({ source, target }: Pair, client: string, sample: { readonly trait: string; readonly key: string }): boolean {
    const proof = this.clients.get(client)?.get(nameOf(source, target));
    if (proof === undefined) return client !== '' && (this.clients.size < MAX_CLIENTS || this.clients.has(client));
    const state = this.stateOf(proof);
    if (state === 'off' || proof.keys.has(sample.key)) return false;
    return proof.traits.has(sample.trait) ? state === 'open' : proof.traits.size < MAX_TRAITS;
  }

  /** @returns whether it was news */
  take(compared: Compared): boolean {
    const { source, target, client, trait, key, same } = compared;
    const pairs = this.clients.get(client) ?? new Map<string, Proof>();
    if (client === '' || (!this.clients.has(client) && this.clients.size >= MAX_CLIENTS)) return false;
    this.clients.set(client, pairs);
    const proof = pairs.get(nameOf(source, target)) ?? new Proof();
    pairs.set(nameOf(source, target), proof);
    if (proof.isOff || (same && (proof.keys.has(key) || !this.isNew(proof, trait)))) return false;
    proof.samples.push(compared);
    if (!same) proof.isOff = true;
    proof.keys.add(key);
    proof.traits.add(trait);
    return true;
  }

  /** All that was taken, so that another one can be brought to the same state. */
  samples(): readonly Compared[] {
    return [...this.clients.values()].flatMap((pairs) => [...pairs.values()].flatMap(({ samples }) => samples));
  }

  lines(): readonly ProofLine[] {
    return [...this.clients].flatMap(([client, pairs]) =>
      [...pairs].map(([name, proof]) => {
        const [source = '', target = ''] = name.split(' ');
        return { client, source, target, state: this.stateOf(proof), same: proof.samples.filter(({ same }) => same).length };
      }),
    );
  }

  private isNew(proof: Proof, trait: string): boolean {
    return proof.samples.length < this.needed || (!proof.traits.has(trait) && proof.traits.size < MAX_TRAITS);
  }

  private stateOf(proof: Proof): ProofState {
    if (proof.isOff) return 'off';
    return proof.samples.length >= this.needed ? 'on' : 'open';
  }
}

const nameOf = (source: string, target: string): string => `${source} ${target}`;
