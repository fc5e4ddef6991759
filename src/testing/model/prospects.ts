import type { Forecast, Prospect, Technique } from '../../sim/index.ts';

/** Whether a pair gets a direct path: always, by luck, or never. */
export type Chance = 'sure' | 'possible' | 'impossible';

/** What can come of a pair, by the place where its sides are. */
export interface Prospects {
  readonly direct: Chance;
  /** The same where no UDP gets through. */
  readonly withoutUdp: Chance;
}

/** What the oracle says, for a flow that knows these techniques. */
export function prospectsOf({ prospects }: Forecast, techniques: readonly Technique[]): Prospects {
  const own = prospects.filter(({ technique }) => techniques.includes(technique));
  return { direct: chanceOf(own), withoutUdp: chanceOf(own.filter(({ technique }) => OVER_TCP.includes(technique))) };
}

function chanceOf(prospects: readonly Prospect[]): Chance {
  if (prospects.length === 0) return 'impossible';
  return prospects.some(({ probability }) => probability === 1) ? 'sure' : 'possible';
}

const OVER_TCP: readonly Technique[] = ['tcp', 'tcp-simultaneous-open'];
