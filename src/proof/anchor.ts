import type { Wanted } from './segment.ts';

/** A block that is known from elsewhere. */
export interface Checkpoint {
  readonly number: number;
  readonly hash: string;
  /** Where it is from, such as `checkpoint` or `genesis`. */
  readonly from: string;
}

/** What independent nodes say the hash of a block is. */
export interface PeerAnswers {
  readonly number: number;
  /** Name of the node and its answer; null = none. */
  readonly answers: readonly { readonly peer: string; readonly hash: string | null }[];
  /** How many must say the same. */
  readonly quorum: number;
  /** Nodes that were not asked, since their data and the source's are from one another. */
  readonly kin?: readonly string[];
}

/** What ties captured headers to the chain that others know. */
export interface Anchors {
  readonly checkpoints: readonly Checkpoint[];
  readonly peers: readonly PeerAnswers[];
}

/** Highest block that is anchored and by what; or what stands against it. */
export type AnchorVerdict =
  | { readonly kind: 'anchored'; readonly number: number; readonly by: string }
  | { readonly kind: 'contradicted'; readonly where: string; readonly message: string }
  | { readonly kind: 'none'; readonly why: string };

const ofPeers = ({ number, answers, quorum, kin = [] }: PeerAnswers, hash: string): AnchorVerdict => {
  const votes = new Map<string, string[]>();
  for (const { peer, hash: answer } of answers) if (answer !== null) votes.set(answer.toLowerCase(), [...(votes.get(answer.toLowerCase()) ?? []), peer]);
  const agreed = votes.get(hash) ?? [];
  for (const [other, peers] of votes) {
    if (other !== hash && peers.length >= quorum) return { kind: 'contradicted', where: `block ${number}: hash`, message: `is ${hash}, but ${peers.join(', ')} have ${other}` };
  }
  if (agreed.length >= quorum) return { kind: 'anchored', number, by: `${agreed.length} of ${answers.length} nodes` };
  const few = answers.length < quorum ? 'too few independent anchors: ' : '';
  const left = kin.length === 0 ? '' : `; ${kin.join(', ')} do${kin.length === 1 ? 'es' : ''} not count, with data of the same origin as the source`;
  return { kind: 'none', why: `${few}only ${agreed.length} of ${answers.length} nodes have block ${number} as it is, ${quorum} are needed${left}` };
};

/**
 * Ties proven headers to what is known from elsewhere. Headers by themselves only show that they fit each other: since the
 * merge they carry no work.
 */
export function judgeAnchors(headers: readonly Wanted[], { checkpoints, peers }: Anchors): AnchorVerdict {
  const hashOf = (number: number): string | undefined => headers.find((header) => header.number === number)?.hash;
  const verdicts: AnchorVerdict[] = [
    ...checkpoints.map(({ number, hash, from }): AnchorVerdict => {
      const own = hashOf(number);
      if (own === undefined) return { kind: 'none', why: `block ${number} of the ${from} is not among the captured headers` };
      if (own !== hash.toLowerCase()) return { kind: 'contradicted', where: `block ${number}: hash`, message: `is ${own}, but the ${from} has ${hash}` };
      return { kind: 'anchored', number, by: from };
    }),
    ...peers.map((one): AnchorVerdict => {
      const own = hashOf(one.number);
      return own === undefined ? { kind: 'none', why: `block ${one.number} is not among the captured headers` } : ofPeers(one, own);
    }),
  ];
  const against = verdicts.find(({ kind }) => kind === 'contradicted');
  if (against !== undefined) return against;
  const anchored = verdicts.flatMap((verdict) => (verdict.kind === 'anchored' ? [verdict] : []));
  const [highest] = anchored.sort((a, b) => b.number - a.number);
  return highest ?? verdicts[0] ?? { kind: 'none', why: 'neither a checkpoint nor a genesis nor nodes to ask are configured' };
}
