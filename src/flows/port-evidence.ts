import { mayHaveRoles } from '../protocol/spray/index.ts';
import { evidence } from './evidence.ts';
import { showsSequence } from './strategies/predict.ts';

/** The external port of a side depends on the destination, and those that are known are in sequence: `predict` can work. */
export const portsInSequence = evidence('ports are given out in sequence', showsSequence);

/**
 * The external port of one side depends on the destination, and the other side can find it by guessing: `spray` can work, or, where one
 * of the two is not known yet, may.
 */
export const guessablePort = evidence('a port can be guessed', ({ behaviors: { mine, theirs } }) =>
  mayHaveRoles(mine, theirs),
);
