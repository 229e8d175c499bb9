const HEADER_BYTES = 8;
const LINE_CHARS = 500;

/**
 * The lines in an answer of the engine's log API without a terminal: frames of a stream's number, three zero bytes, a
 * big-endian length and that many bytes (Docker Engine API, "Attach to a container", stream format).
 */
export function splitOutput(output: Buffer): string[] {
  const parts: Buffer[] = [];
  for (let at = 0; at + HEADER_BYTES <= output.length; ) {
    const end = at + HEADER_BYTES + output.readUInt32BE(at + 4);
    parts.push(output.subarray(at + HEADER_BYTES, end));
    at = end;
  }
  return Buffer.concat(parts)
    .toString('utf8')
    .split('\n')
    .map((line) => line.trimEnd().slice(0, LINE_CHARS))
    .filter((line) => line !== '');
}
