import type { Flow } from '../../flows/flow.ts';
import {
  type Forecast,
  type ForecastOptions,
  type Prospect,
  TECHNIQUES,
  type Technique,
} from '../../sim/oracle/forecast.ts';
import { flowTechniques, mapsPorts } from '../matrix/flow-techniques.ts';

/** Whether a pair gets a direct path: always, by luck, or never. */
export type Chance = (typeof CHANCES)[number];

export const CHANCES = ['sure', 'possible', 'impossible'] as const;

/** What can come of a pair, by the place where its sides are. */
export interface Prospects {
  readonly direct: Chance;
  /** The same where no UDP gets through. */
  readonly withoutUdp: Chance;
}

/**
 * What the oracle says of a flow in a place. Nobody knows what a strategy of one's own can do: where any technique would join the two, it
 * may, and where none does, it cannot.
 */
export function prospectsOf(oracle: (options: ForecastOptions) => Forecast, flow: Pick<Flow, 'strategies'>): Prospects {
  const any = oracle({ mapping: true }).prospects;
  const known = oracle({ mapping: mapsPorts(flow) }).prospects;
  const techniques = flowTechniques(flow);
  const mayMore = flow.strategies.some(({ name, gives }) => gives === 'direct' && !KNOWN.includes(name));
  const chance = (among: readonly Technique[]): Chance => {
    const own = chanceOf(known.filter(({ technique }) => among.includes(technique) && techniques.includes(technique)));
    const isThere = any.some(({ technique }) => among.includes(technique));
    return own === 'impossible' && mayMore && isThere ? 'possible' : own;
  };
  return { direct: chance(TECHNIQUES), withoutUdp: chance(OVER_TCP) };
}

function chanceOf(prospects: readonly Prospect[]): Chance {
  if (prospects.length === 0) return 'impossible';
  return prospects.some(({ probability }) => probability === 1) ? 'sure' : 'possible';
}

const OVER_TCP: readonly Technique[] = ['tcp', 'tcp-simultaneous-open'];
/** Names of strategies of which {@link flowTechniques} knows what they can do. */
const KNOWN: readonly string[] = ['checks', ...TECHNIQUES];
