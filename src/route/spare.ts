/** Most arrays kept. */
const MAX_SPARE = 1024;

/** Arrays for candidates, used again: making one costs more than filling it. */
export class SpareCandidates {
  private readonly arrays: Int32Array[] = [];

  /** An array of at least this length, with anything in it. */
  take(length: number): Int32Array {
    const array = this.arrays.pop();
    return array !== undefined && array.length >= length ? array : new Int32Array(length);
  }

  /** Takes back an array that nobody reads any more. */
  give(array: Int32Array | null): void {
    if (array !== null && this.arrays.length < MAX_SPARE) this.arrays.push(array);
  }
}
