import type { ChartCoverageJson } from './coverage-json.ts';

/** How often each part of one chart was hit. */
export class ChartHits {
  /** Entries, by state id. */
  readonly states = new Map<string, number>();
  /** Times taken, by transition key. */
  readonly transitions = new Map<string, number>();
  /** Answers of the guards of transitions, by transition key. */
  readonly guards = new Map<string, { yes: number; no: number }>();

  enter(state: string): void {
    add(this.states, state, 1);
  }

  take(transition: string): void {
    add(this.transitions, transition, 1);
  }

  answer(transition: string, outcome: boolean): void {
    const { yes, no } = this.guards.get(transition) ?? { yes: 0, no: 0 };
    this.guards.set(transition, outcome ? { yes: yes + 1, no } : { yes, no: no + 1 });
  }

  /** Adds what was counted elsewhere. */
  add({ states, transitions }: ChartCoverageJson): void {
    for (const { id, hits } of states) add(this.states, id, hits);
    for (const { key, hits, guard } of transitions) {
      add(this.transitions, key, hits);
      if (guard === undefined) continue;
      const { yes, no } = this.guards.get(key) ?? { yes: 0, no: 0 };
      this.guards.set(key, { yes: yes + guard.yes, no: no + guard.no });
    }
  }
}

function add(counts: Map<string, number>, key: string, count: number): void {
  if (count > 0) counts.set(key, (counts.get(key) ?? 0) + count);
}
