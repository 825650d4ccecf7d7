/**
 * Bounds the bytes of decoded pictures held at once. Every unit of work (the pictures of one forward pass) takes a
 * ticket, and tickets are served in the order of their ranks. The first always gets its bytes, so that work moves on
 * whatever the limit is; while it holds more than the limit leaves, nobody else may. The overshoot is therefore at most
 * the pictures of one unit.
 */
export class ByteBudget {
  #used = 0;
  /** by rank, equal ones in the order in which they were opened */
  readonly #live: { ticket: Ticket; rank: number }[] = [];
  readonly #waiting: { ticket: Ticket; bytes: number; grant: () => void }[] = [];
  /** the one that exceeded the limit; until it closes, the first of the others has no such right */
  #exceeding: Ticket | undefined;

  constructor(readonly limit: number) {}

  get used(): number {
    return this.#used;
  }

  /** @param rank lower is served earlier; on the clock of performance.now() */
  open(rank = performance.now()): Ticket {
    const ticket: Ticket = {
      held: 0,
      take: (bytes) => this.#take(ticket, bytes),
      close: () => this.#close(ticket),
    };
    const behind = this.#live.findIndex((other) => other.rank > rank);
    this.#live.splice(behind < 0 ? this.#live.length : behind, 0, { ticket, rank });
    return ticket;
  }

  #take(ticket: Ticket, bytes: number): Promise<void> {
    // Nobody would ever serve a closed ticket: whoever still runs under it must come to its end.
    if (!this.#isLive(ticket)) return Promise.resolve();
    return new Promise((grant) => {
      this.#waiting.push({ ticket, bytes, grant });
      this.#serve();
    });
  }

  #close(ticket: Ticket): void {
    if (!this.#isLive(ticket)) return;
    this.#live.splice(
      this.#live.findIndex((entry) => entry.ticket === ticket),
      1,
    );
    if (this.#exceeding === ticket) this.#exceeding = undefined;
    this.#used -= ticket.held;
    ticket.held = 0;
    // Whoever still waits under a closed ticket gets nothing more to hold.
    for (const entry of this.#waiting.filter((waiting) => waiting.ticket === ticket)) {
      this.#waiting.splice(this.#waiting.indexOf(entry), 1);
      entry.grant();
    }
    this.#serve();
  }

  #isLive(ticket: Ticket): boolean {
    return this.#live.some((entry) => entry.ticket === ticket);
  }

  #serve(): void {
    for (const { ticket } of this.#live) {
      for (let at = 0; at < this.#waiting.length; ) {
        const entry = this.#waiting[at]!;
        const fits = this.#used + entry.bytes <= this.limit;
        const mayExceed = (this.#exceeding ?? this.#live[0]!.ticket) === ticket;
        if (entry.ticket !== ticket || !(fits || mayExceed)) {
          at++;
          continue;
        }
        this.#waiting.splice(at, 1);
        this.#used += entry.bytes;
        ticket.held += entry.bytes;
        if (this.#used > this.limit) this.#exceeding = ticket;
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
