/** Hashes bytes with Keccak-256 (the one of Ethereum, not SHA3-256). */
export type Keccak = (bytes: Uint8Array) => Uint8Array;

/** Something captured that is wrong, or that cannot be judged, with the field it is about. */
export class ProofFault extends Error {
  /** `unsupported`: of a fork or kind that is not known here. `notProvable`: what it takes was not captured. Neither says damage. */
  readonly verdict: 'failed' | 'unsupported' | 'notProvable';
  /** Such as `transactions[3].value`. */
  readonly field: string;

  constructor(verdict: ProofFault['verdict'], field: string, message: string) {
    super(message);
    this.verdict = verdict;
    this.field = field;
  }
}

/** A field that is damaged. */
export function wrong(field: string, message: string): ProofFault {
  return new ProofFault('failed', field, message);
}

/** Something of a newer fork or another network. */
export function unsupported(field: string, message: string): ProofFault {
  return new ProofFault('unsupported', field, `unsupported fork: ${message}`);
}

/** Something that cannot be shown with what is at hand. */
export function notProvable(field: string, message: string): ProofFault {
  return new ProofFault('notProvable', field, `not provable: ${message}`);
}
