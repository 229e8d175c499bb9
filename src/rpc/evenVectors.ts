/** What this needs of WebAssembly, which the type library leaves to browsers. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: { readonly memory: { readonly buffer: ArrayBuffer }; readonly odd: (end: number) => number } };
};

/** Bytes that one call looks at: one page of its memory. */
const PAGE_BYTES = 65_536;
/** Bytes of one round of its loop. */
const ROUND_BYTES = 64;
const SPACE = 0x20;

// Opcodes of the WebAssembly core specification 2.0, chapter 5.4.
const GET = 0x20;
const SET = 0x21;
const TEE = 0x22;
const CONST = 0x41;
const SPLAT = [0xfd, 0x0f];
const LOAD = [0xfd, 0x00, 0x00];
const LEAST = [0xfd, 0x77];
const IS_EQUAL = [0xfd, 0x23];
const IS_BELOW = [0xfd, 0x26];
const OR = [0xfd, 0x50];
const IS_ANY = [0xfd, 0x53];

// Its variables: where the bytes end, where it is, the least of what it met at each of 16 places, the backslashes there, 16 bytes, 16 backslashes.
const [END, AT, LOW, SLASHES, BYTES, SLASH] = [0, 1, 2, 3, 4, 5] as const;

const step = (offset: number): readonly number[] => [
  GET, AT, ...LOAD, offset, TEE, BYTES, GET, LOW, ...LEAST, SET, LOW,
  GET, BYTES, GET, SLASH, ...IS_EQUAL, GET, SLASHES, ...OR, SET, SLASHES,
];

/** Numbers above 63 take two bytes there. */
const CODE: readonly number[] = [
  0x02, 0x01, 0x7f, 0x04, 0x7b, // variables beside the argument: one i32, four v128
  CONST, 0x7f, ...SPLAT, SET, LOW, // -1: 255 at each place
  CONST, 0xdc, 0x00, ...SPLAT, SET, SLASH,
  0x03, 0x40, // loop
  ...step(0), ...step(16), ...step(32), ...step(48),
  GET, AT, CONST, 0xc0, 0x00, 0x6a, TEE, AT, GET, END, 0x49, 0x0d, 0x00, // again while AT += 64 is below END
  0x0b,
  GET, LOW, CONST, SPACE, ...SPLAT, ...IS_BELOW, GET, SLASHES, ...OR, ...IS_ANY,
  0x0b,
];

const text = (name: string): readonly number[] => [name.length, ...Buffer.from(name)];
const section = (id: number, content: readonly number[]): readonly number[] => [id, ...size(content.length), ...content];
const size = (count: number): readonly number[] => (count < 128 ? [count] : [(count & 127) | 128, count >> 7]);

const MODULE = Uint8Array.from([
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00,
  ...section(1, [1, 0x60, 1, 0x7f, 1, 0x7f]), // a function from i32 to i32
  ...section(3, [1, 0]),
  ...section(5, [1, 0, 1]), // a memory of one page
  ...section(7, [2, ...text('memory'), 2, 0, ...text('odd'), 0, 0]),
  ...section(10, [1, ...size(CODE.length), ...CODE]),
]);

/** Whether the first `length` bytes have neither a backslash nor a control character, 16 bytes in one step; null where the machine cannot. */
export const isEvenByVectors: ((bytes: Buffer, length: number) => boolean) | null = compile();

function compile(): ((bytes: Buffer, length: number) => boolean) | null {
  try {
    const { memory, odd } = new WebAssembly.Instance(new WebAssembly.Module(MODULE)).exports;
    const page = new Uint8Array(memory.buffer);
    return (bytes, length) => {
      for (let from = 0; from < length; from += PAGE_BYTES) {
        const count = Math.min(PAGE_BYTES, length - from);
        page.set(from === 0 && count === bytes.length ? bytes : bytes.subarray(from, from + count));
        if (count % ROUND_BYTES !== 0) page.fill(SPACE, count, count - (count % ROUND_BYTES) + ROUND_BYTES);
        if (odd(count) !== 0) return false;
      }
      return true;
    };
  } catch {
    return null; // no WebAssembly in this process, or no vectors in its processor
  }
}
