/** Milliseconds since the machine started: the same in every process. */
export const nowMs = () => Number(process.hrtime.bigint()) / 1e6;
