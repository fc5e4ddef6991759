/**
 * Connections that are under way and not established yet, counted by whom they are for: nobody can make us work without
 * bound.
 */
export interface HalfOpen<Group> {
  /**
   * One more of this group; gives the function that counts it off, to be called once. `undefined` when there is no
   * room.
   */
  enter(group: Group): (() => void) | undefined;
}

/** At most `each` of a group, and `total` of all. */
export function createHalfOpen<Group>({ each, total }: { each: number; total: number }): HalfOpen<Group> {
  const counts = new Map<Group, number>();
  let all = 0;
  return {
    enter(group) {
      const count = counts.get(group) ?? 0;
      if (count >= each || all >= total) return undefined;
      counts.set(group, count + 1);
      all++;
      return () => {
        all--;
        const left = (counts.get(group) ?? 1) - 1;
        if (left > 0) counts.set(group, left);
        else counts.delete(group);
      };
    },
  };
}
