import type { StateText } from '../../../src/trace/trace-format.ts';

/** Ids of all states that are active, the machine's own `''` among them. */
export function activeStates(state: StateText | undefined): ReadonlySet<string> {
  const active = new Set(['']);
  const enter = (value: StateText | undefined, prefix: string): void => {
    if (value === undefined) return;
    const within = typeof value === 'string' ? { [value]: undefined } : value;
    for (const [key, inner] of Object.entries(within)) {
      active.add(prefix + key);
      enter(inner, `${prefix}${key}.`);
    }
  };
  enter(state, '');
  return active;
}

/** The state in one line: `connected.path.direct, signaling.open`. */
export function stateLine(state: StateText | undefined): string {
  const active = [...activeStates(state)].filter((id) => id !== '');
  return active.filter((id) => !active.some((other) => other.startsWith(`${id}.`))).join(', ');
}
