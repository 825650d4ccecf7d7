import { CraneError } from '../errors.js';

/**
 * Bounds the bytes of decoded pictures, and of results that nobody has taken yet, held at once. Every unit of work (the pictures
 * of one forward pass) takes a ticket, and tickets are served in the order of their ranks. The first of those that work always
 * gets its bytes, so that work moves on whatever the limit is; while it holds more than the limit leaves, nobody else may. The
 * overshoot is therefore at most the pictures of one unit.
 *
 * A unit whose work is done keeps what its results hold until their caller has taken them. It waits for nobody, so it is not
 * the first of those that work; but whoever stands behind it in the same line must stay within the limit, because the caller takes
 * the line's results in turn: a caller that is slow stops its own line, and no other (it may wait for one).
 */
export class ByteBudget {
  #used = 0;
  /** by rank, equal ones in the order in which they were opened */
  readonly #live: Entry[] = [];
  readonly #waiting: { ticket: Ticket; bytes: number; grant: () => void }[] = [];
  /** the one that exceeded the limit; until its work is done, the first of the others has no such right */
  #exceeding: Ticket | undefined;

  constructor(readonly limit: number) {}

  get used(): number {
    return this.#used;
  }

  /**
   * @param rank lower is served earlier; on the clock of performance.now()
   * @param line units whose results one caller takes in turn; default: a line of its own
   */
  open(rank = performance.now(), line: object = {}): Ticket {
    const ticket: Ticket = {
      held: 0,
      take: async (bytes) => this.#take(ticket, countable(bytes)),
      keep: (bytes) => this.#keep(ticket, countable(bytes)),
      close: () => this.#close(ticket),
    };
    const behind = this.#live.findIndex((other) => other.rank > rank);
    const entry = { ticket, rank, line, isKept: false };
    this.#live.splice(behind < 0 ? this.#live.length : behind, 0, entry);
    return ticket;
  }

  #take(ticket: Ticket, bytes: number): Promise<void> {
    // Nobody would ever serve a closed ticket: whoever still runs under it must come to its end.
    if (!this.#entryOf(ticket)) return Promise.resolve();
    return new Promise((grant) => {
      this.#waiting.push({ ticket, bytes, grant });
      this.#serve();
    });
  }

  #keep(ticket: Ticket, bytes: number): void {
    const entry = this.#entryOf(ticket);
    if (bytes <= 0) this.#close(ticket);
    else if (entry) {
      entry.isKept = true;
      this.#hold(ticket, bytes);
    }
  }

  #close(ticket: Ticket): void {
    const entry = this.#entryOf(ticket);
    if (!entry) return;
    this.#live.splice(this.#live.indexOf(entry), 1);
    this.#hold(ticket, 0);
  }

  /** It takes no more, and holds so many bytes from now on. */
  #hold(ticket: Ticket, bytes: number): void {
    if (this.#exceeding === ticket) this.#exceeding = undefined;
    this.#used += bytes - ticket.held;
    ticket.held = bytes;
    // Whoever still waits under it gets nothing more to hold.
    for (const entry of this.#waiting.filter((waiting) => waiting.ticket === ticket)) {
      this.#waiting.splice(this.#waiting.indexOf(entry), 1);
      entry.grant();
    }
    this.#serve();
  }

  #entryOf(ticket: Ticket): Entry | undefined {
    return this.#live.find((entry) => entry.ticket === ticket);
  }

  /** The first that works, and whose line does not wait for its caller. */
  #first(): Ticket | undefined {
    const held = new Set<object>();
    for (const { ticket, line, isKept } of this.#live) {
      if (isKept) held.add(line);
      else if (!held.has(line)) return ticket;
    }
    return undefined;
  }

  #serve(): void {
    const first = this.#first();
    for (const { ticket } of this.#live) {
      for (let at = 0; at < this.#waiting.length; ) {
        const entry = this.#waiting[at]!;
        const fits = this.#used + entry.bytes <= this.limit;
        const mayExceed = (this.#exceeding ?? first) === ticket;
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

/** What is no number would make every sum that it enters none, for all that come after. @throws CraneError E_INTERNAL */
function countable(bytes: number): number {
  if (Number.isFinite(bytes) && bytes >= 0) return bytes;
  throw new CraneError('E_INTERNAL', `${bytes} bytes of memory were asked for`);
}

interface Entry {
  ticket: Ticket;
  rank: number;
  line: object;
  /** its work is done */
  isKept: boolean;
}

export interface Ticket {
  /** bytes held with this ticket */
  held: number;
  /** Resolves when the bytes may be used. */
  take(bytes: number): Promise<void>;
  /** The work is done, and so many bytes remain until keep() with fewer or close(). */
  keep(bytes: number): void;
  /** Gives everything back; may be called twice. */
  close(): void;
}
