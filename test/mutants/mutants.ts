import { flowMutants } from './flow-mutants.ts';
import { machineMutants } from './machine-mutants.ts';
import type { Mutant } from './mutant.ts';
import { peerMutants } from './peer-mutants.ts';

/** All faults that the model kit is put to the test with. */
export const mutants: readonly Mutant[] = [...machineMutants, ...flowMutants, ...peerMutants];
