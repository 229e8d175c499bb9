/** What a node says about one block. */
export interface Head {
  readonly number: number;
  /** 0x-prefixed, lower case. */
  readonly hash: string;
  readonly parentHash: string;
  /** Unix seconds. */
  readonly timestampS: number;
}

/** A block by number and hash, where a node tells no more. */
export interface BlockMark {
  readonly number: number;
  /** 0x-prefixed, lower case. */
  readonly hash: string;
}
