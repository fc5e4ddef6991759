import type { Technique } from '../../sim/index.ts';
import { type CellVerdict, type Judgement, VERDICTS } from './judge.ts';

/** What stands for a judgement in a table. */
export interface Mark {
  /** One character: small where the path is direct, capital where it is relayed and could be better. */
  readonly text: string;
  readonly verdict: CellVerdict;
  readonly meaning: string;
}

export function markOf(judgement: Judgement): Mark {
  const { verdict } = judgement;
  switch (verdict) {
    case 'direct': {
      const { mark, words } = TECHNIQUE_MARKS[judgement.prospect.technique];
      return { text: mark, verdict, meaning: `direct, by ${words}` };
    }
    case 'needs': {
      const { mark, words } = TECHNIQUE_MARKS[judgement.prospect.technique];
      return { text: mark.toUpperCase(), verdict, meaning: `relayed; direct would take ${words}` };
    }
    default:
      return { ...PLAIN_MARKS[verdict], verdict };
  }
}

/** The marks that occur, in a fixed order, each once. */
export function legend(judgements: readonly Judgement[]): readonly Mark[] {
  const marks = new Map(judgements.map((judgement) => [markOf(judgement).text, markOf(judgement)]));
  return [...marks.values()].sort((a, b) => rank(a) - rank(b) || (a.text < b.text ? -1 : 1));
}

function rank({ verdict }: Mark): number {
  return VERDICTS.indexOf(verdict);
}

const TECHNIQUE_MARKS: Readonly<Record<Technique, { readonly mark: string; readonly words: string }>> = {
  host: { mark: 'o', words: "a side's own address" },
  ipv6: { mark: 'v', words: 'IPv6' },
  mapped: { mark: 'm', words: 'a port mapping' },
  reflexive: { mark: 'r', words: 'the addresses that servers see' },
  hairpin: { mark: 'h', words: 'the addresses that servers see, turned around by a NAT that both share' },
  tcp: { mark: 't', words: 'TCP to a side that listens' },
  predict: { mark: 'p', words: 'a prediction of the next port' },
  spray: { mark: 's', words: 'a spray at random ports' },
  'tcp-simultaneous-open': { mark: 'y', words: 'TCP simultaneous open' },
};

const PLAIN_MARKS: Readonly<
  Record<Exclude<CellVerdict, 'direct' | 'needs'>, { readonly text: string; readonly meaning: string }>
> = {
  unlucky: { text: '~', meaning: 'relayed; what the flow does would join them with luck, or in another order' },
  relayed: { text: '-', meaning: 'relayed, and nothing is known that would do better' },
  none: { text: 'x', meaning: 'not connected: a side reaches no server' },
  short: { text: '!', meaning: 'falls short of what the flow could do' },
  impossible: { text: '#', meaning: 'direct where the oracle knows no way' },
};
