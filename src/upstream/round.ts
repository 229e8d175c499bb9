/** The end of the present round of the event loop, for whoever waits for what else comes in it. */
export class Round {
  /** Its end is waited for. */
  open = false;
  private readonly onEnd: () => void;

  constructor(onEnd: () => void) {
    this.onEnd = onEnd;
  }

  begin(): void {
    this.open = true;
    setImmediate(this.end);
  }

  private readonly end = (): void => {
    this.open = false;
    this.onEnd();
  };
}
