import { type BlockLine, type Hashes, noCounts } from '../proof/blockLine.ts';
import { ProofFault } from '../proof/fault.ts';
import { dataBytes } from '../proof/hex.ts';
import { checkSample, type StateLine } from '../proof/sample.ts';
import { proveSegment, type Segment } from '../proof/segment.ts';
import { type BlocksJob, MAX_FAULTS, type StateJob, type StateResult } from './jobs.ts';

class BadLine extends Error {}

/** The JSON objects of lines. */
function* objectsIn(bytes: Uint8Array): Generator<object> {
  const text = new TextDecoder().decode(bytes);
  for (const [i, line] of text.split('\n').entries()) {
    if (line === '') continue;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      throw new BadLine(`line ${i + 1} is not JSON`);
    }
    if (typeof value !== 'object' || value === null) throw new BadLine(`line ${i + 1} is not an object`);
    yield value;
  }
}

function* blocksIn(bytes: Uint8Array): Generator<BlockLine> {
  for (const value of objectsIn(bytes)) {
    const { block } = value as Partial<BlockLine>;
    if (typeof block !== 'object' || block === null) throw new BadLine('a line holds no block');
    yield value as BlockLine;
  }
}

/** Proves captured blocks; lines that are none fail the headers. */
export function runBlocks(hashes: Hashes, { bytes, wanted, statusFromBlock }: BlocksJob): Segment {
  try {
    return proveSegment(hashes, blocksIn(bytes), { wanted, maxFaults: MAX_FAULTS, statusFromBlock });
  } catch (error) {
    if (!(error instanceof BadLine)) throw error;
    const fault = { level: 'L3', verdict: 'failed', where: 'blocks.ndjson', message: error.message } as const;
    return { first: null, last: null, counts: noCounts(), faults: [fault], wanted: [] };
  }
}

/** Proves samples of the state. */
export function runState({ keccak }: Hashes, { bytes, stateRoot, firstLine }: StateJob): StateResult {
  const counts = { accounts: 0, absent: 0, slots: 0, flat: 0 };
  const faults: StateResult['faults'][number][] = [];
  const addresses: string[] = [];
  const root = dataBytes(stateRoot, 'stateRoot', 32);
  let line = firstLine;
  try {
    for (const value of objectsIn(bytes)) {
      try {
        checkSample(keccak, root, value as StateLine, counts);
        addresses.push(String((value as StateLine).proof['address']).toLowerCase());
      } catch (error) {
        if (!(error instanceof ProofFault)) throw error;
        const address = (value as StateLine).proof?.['address'];
        if (faults.length < MAX_FAULTS) faults.push({ verdict: error.verdict, where: `state sample ${line} (${String(address)}): ${error.field}`, message: error.message });
      }
      line++;
    }
  } catch (error) {
    if (!(error instanceof BadLine)) throw error;
    faults.push({ verdict: 'failed', where: 'state.ndjson', message: error.message });
  }
  return { counts, addresses, faults };
}
