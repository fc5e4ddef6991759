import type { PacketBudget } from '../compile/contract.ts';

/** What the runs of a connection may send: each its own bounds, and those in a race what the race may send together. */
export class RaceAccounts {
  /** Packets left, by the path of the race's state. */
  readonly #left = new Map<string, number>();

  /** The account of one run; `packets`: its own bound. */
  open(packets: number, budgets: readonly PacketBudget[]): PacketAccount {
    for (const { id, packets: most } of budgets) if (!this.#left.has(id)) this.#left.set(id, most);
    return new PacketAccount(
      packets,
      budgets.map(({ id }) => id),
      this.#left,
    );
  }

  /** The races of that machine begin anew. */
  forget(machine: string): void {
    for (const id of [...this.#left.keys()]) if (id.startsWith(`${machine}.`)) this.#left.delete(id);
  }
}

/** What one run has sent and may send. */
export class PacketAccount {
  sent = 0;
  received = 0;
  readonly #most: number;
  readonly #races: readonly string[];
  readonly #left: Map<string, number>;

  constructor(most: number, races: readonly string[], left: Map<string, number>) {
    this.#most = most;
    this.#races = races;
    this.#left = left;
  }

  /** Counts a packet; false: it must not be sent. */
  take(): boolean {
    if (this.sent >= this.#most || this.#races.some((id) => this.#left.get(id)! <= 0)) return false;
    this.sent++;
    for (const id of this.#races) this.#left.set(id, this.#left.get(id)! - 1);
    return true;
  }
}
