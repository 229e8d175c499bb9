const EVERY_MS = 10_000;

/** Shows how far something is where no terminal is: a line now and then, the first after a while, so that what is short stays quiet. */
export function plainProgress(tell: (line: string) => void, steadyMs: () => number): (line: string) => void {
  let toldAtMs = steadyMs();
  return (line) => {
    if (line === '' || steadyMs() - toldAtMs < EVERY_MS) return;
    toldAtMs = steadyMs();
    tell(line);
  };
}
