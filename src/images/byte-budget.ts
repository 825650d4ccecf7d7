/**
 * Bounds the bytes of decoded pictures held at once. Every unit of work (the pictures of one forward pass) takes a
 * ticket; the oldest ticket always gets its bytes, so that work moves on whatever the limit is. The overshoot is
 * therefore at most the pictures of one unit.
 */
export class ByteBudget {
  private used_ = 0;
  private readonly live_ = new Set<Ticket>();
  private readonly waiting_: { ticket: Ticket; bytes: number; grant: () => void }[] = [];

  constructor(readonly limit: number) {}

  get used(): number {
    return this.used_;
  }

  open(): Ticket {
    const ticket: Ticket = {
      held: 0,
      take: (bytes) => this.take(ticket, bytes),
      close: () => this.close(ticket),
    };
    this.live_.add(ticket);
    return ticket;
  }

  private take(ticket: Ticket, bytes: number): Promise<void> {
    // Nobody would ever serve a closed ticket: whoever still runs under it must come to its end.
    if (!this.live_.has(ticket)) return Promise.resolve();
    return new Promise((grant) => {
      this.waiting_.push({ ticket, bytes, grant });
      this.serve();
    });
  }

  private close(ticket: Ticket): void {
    if (!this.live_.delete(ticket)) return;
    this.used_ -= ticket.held;
    ticket.held = 0;
    // Whoever still waits under a closed ticket gets nothing more to hold.
    for (const entry of this.waiting_.filter((waiting) => waiting.ticket === ticket)) {
      this.waiting_.splice(this.waiting_.indexOf(entry), 1);
      entry.grant();
    }
    this.serve();
  }

  private serve(): void {
    // A Set keeps its order of insertion: the first live ticket is the oldest.
    for (const ticket of this.live_) {
      const isOldest = ticket === this.live_.values().next().value;
      for (let at = 0; at < this.waiting_.length; ) {
        const entry = this.waiting_[at]!;
        const fits = this.used_ + entry.bytes <= this.limit;
        if (entry.ticket !== ticket || !(fits || isOldest)) {
          at++;
          continue;
        }
        this.waiting_.splice(at, 1);
        this.used_ += entry.bytes;
        ticket.held += entry.bytes;
        entry.grant();
      }
    }
  }
}

export interface Ticket {
  /** bytes taken with this ticket */
  held: number;
  /** Resolves when the bytes may be used. */
  take(bytes: number): Promise<void>;
  /** Gives everything back; may be called twice. */
  close(): void;
}
