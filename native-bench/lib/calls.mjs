// The calls that the cases send, and the answers that are due.

const TOKEN = '0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48';
const balanceOf = (n) => `0x70a08231000000000000000000000000${n.toString(16).padStart(40, '0')}`;
const one = (id, n) => `{"jsonrpc":"2.0","id":${id},"method":"eth_call","params":[{"to":"${TOKEN}","data":"${balanceOf(n)}"},"latest"]}`;
const result = (bytes) => `"0x${'0'.repeat(bytes - 4)}"`;

/** A call of some 230 bytes; its answer from a stub with `resultBytes`. `n` tells one call from another. */
export const ethCall = (resultBytes = 66, n = 0xd8da6bf26964) => ({
  size: 1,
  body: (id) => one(id, n),
  answer: (id) => `{"jsonrpc":"2.0","id":${id},"result":${result(resultBytes)}}`,
});

/** A batch of `size` different calls; the ids follow that of the first. */
export const batchCall = (size, resultBytes = 66) => {
  const ids = (id) => Array.from({ length: size }, (_, i) => id * size + i);
  return {
    size,
    body: (id) => `[${ids(id).map((each, i) => one(each, i + 1)).join(',')}]`,
    answer: (id) => `[${ids(id).map((each) => `{"jsonrpc":"2.0","id":${each},"result":${result(resultBytes)}}`).join(',')}]`,
  };
};

/** A call that the stub takes half a second for. */
export const slowCall = () => ({
  size: 1,
  body: (id) => `{"jsonrpc":"2.0","id":${id},"method":"eth_call","params":[{"to":"0x00000000000000000000000000000000000051a0","data":"0x01"},"latest"]}`,
  answer: (id) => `{"jsonrpc":"2.0","id":${id},"result":${result(66)}}`,
});
