/** One fault, to be planted into the source. Plain data. */
export interface Mutant {
  /** As it is called on the command line and in the table: `connection-timer`. */
  readonly id: string;
  /** From the root of the repository. */
  readonly file: string;
  /** What stands there, exactly once. */
  readonly find: string;
  /** What is to stand there instead. */
  readonly replace: string;
  readonly kind: FaultKind;
  /** What the fault comes to, for people. */
  readonly what: string;
  /** Why no test could tell it from what it was, where that is so. */
  readonly equivalent?: string;
}

export type FaultKind =
  | 'action dropped'
  | 'bound ignored'
  | 'cleanup skipped'
  | 'guard dropped'
  | 'guard negated'
  | 'timer removed'
  | 'transition dropped'
  | 'wrong choice'
  | 'wrong target';

/** The text with the fault in it. Errors: an `Error` that names the mutant, where `find` is not there or there more than once. */
export function plant({ id, file, find, replace }: Mutant, text: string): string {
  const times = text.split(find).length - 1;
  if (times !== 1) throw new Error(`${id}: what is to be replaced stands ${times} times in ${file}`);
  return text.replace(find, () => replace);
}
