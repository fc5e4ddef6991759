/** The name, or the name with the first number from 2 that is not taken. */
export function untaken(name: string, isTaken: (name: string) => boolean): string {
  let candidate = name;
  for (let count = 2; isTaken(candidate); count += 1) candidate = `${name} ${count}`;
  return candidate;
}

/** A name for each, in their order, the same names told apart: `checks`, `checks 2`. */
export function tellApart(names: readonly string[], reserved: readonly string[] = []): readonly string[] {
  const taken = new Set(reserved);
  return names.map((name) => {
    const key = untaken(name, (other) => taken.has(other));
    taken.add(key);
    return key;
  });
}
