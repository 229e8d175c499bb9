/** The end of the present round of the event loop, for whoever waits for what else comes in it. */
export class Round {
  /** Its end is waited for. */
  open = false;
  /** When that began. */
  beganMs = 0;
  private readonly onEnd: () => void;

  constructor(onEnd: () => void) {
    this.onEnd = onEnd;
  }

  begin(nowMs: number): void {
    this.open = true;
    this.beganMs = nowMs;
    setImmediate(this.end);
  }

  private readonly end = (): void => {
    this.open = false;
    this.onEnd();
  };
}
