/** Wakes the one who waits. A ring that nobody waits for is kept, several count as one. */
export class Bell {
  private isRung_ = false;
  private wake_: (() => void) | undefined;

  readonly ring = (): void => {
    this.isRung_ = true;
    this.wake_?.();
  };

  async wait(): Promise<void> {
    if (!this.isRung_) await new Promise<void>((resolve) => (this.wake_ = resolve));
    this.wake_ = undefined;
    this.isRung_ = false;
  }
}
