import type { Forecast, Prospect, Technique } from '../../sim/index.ts';
import { likeliest, TECHNIQUES } from '../../sim/oracle/forecast.ts';
import type { CellRun, DirectPath } from './cell-run.ts';

/**
 * How the run of a cell compares with what the oracle says is possible there. `reason`: one sentence for people. `prospect`: what the
 * oracle says of the technique that won (`direct`), that it would take (`needs`), that could have won (`unlucky`), or that should
 * have (`short`).
 */
export type Judgement =
  | { readonly verdict: 'direct' | 'needs' | 'unlucky'; readonly reason: string; readonly prospect: Prospect }
  | { readonly verdict: 'short'; readonly reason: string; readonly prospect?: Prospect }
  | { readonly verdict: 'relayed' | 'none' | 'impossible'; readonly reason: string };

/**
 * `direct`: directly, as the oracle says the flow can be. `needs`: relayed; a technique that the flow does not have could do
 * better. `unlucky`: relayed; the flow has a technique that joins them sometimes, by chance or by who is heard first. `relayed`: nothing
 * could do better. `none`: not at all, and nothing could. `short`: the flow has what it takes and did not get there. `impossible`: it
 * got where nothing leads that it can do, so the world or the oracle is wrong.
 */
export type CellVerdict = (typeof VERDICTS)[number];

export const VERDICTS = ['direct', 'needs', 'unlucky', 'relayed', 'none', 'short', 'impossible'] as const;

/** Compares a run with the forecast, both ways. `techniques`: those that the flow has, see {@link flowTechniques}. */
export function judge({ prospects, reach }: Forecast, run: CellRun, techniques: readonly Technique[]): Judgement {
  const own = prospects.filter(({ technique }) => techniques.includes(technique));
  // Signalling and the relay are one connection over TCP.
  const isReachable = reach.a.tcp && reach.b.tcp;
  if (run.outcome === 'failed') return judgeFailure(run, isReachable);
  if (!isReachable) return { verdict: 'impossible', reason: `${run.outcome}, where a side reaches no server` };
  return run.by === undefined ? judgeRelayed(prospects, own) : judgeDirect(prospects, own, run.by);
}

function judgeFailure({ code }: CellRun, isReachable: boolean): Judgement {
  const failed = code === undefined ? 'failed' : `failed (${code})`;
  return isReachable
    ? { verdict: 'short', reason: `${failed}, where both sides reach a relay` }
    : { verdict: 'none', reason: `${failed}, as a side reaches no server` };
}

function judgeDirect(prospects: readonly Prospect[], own: readonly Prospect[], by: DirectPath): Judgement {
  const [prospect] = techniquesOf(by).flatMap((name) => own.filter(({ technique }) => technique === name));
  if (prospect !== undefined) {
    return { verdict: 'direct', reason: `direct (${prospect.technique})`, prospect };
  }
  const possible = prospects.map(({ technique }) => technique).join(', ') || 'nothing';
  return { verdict: 'impossible', reason: `direct (${describe(by)}), where the oracle knows ${possible}` };
}

function judgeRelayed(prospects: readonly Prospect[], own: readonly Prospect[]): Judgement {
  const best = likeliest(own);
  if (best?.probability === 1) {
    return { verdict: 'short', reason: `relayed, where ${best.technique} is sure to join them`, prospect: best };
  }
  if (best !== undefined) return { verdict: 'unlucky', reason: `relayed; ${describeProspect(best)}`, prospect: best };
  const prospect = likeliest(prospects);
  return prospect === undefined
    ? { verdict: 'relayed', reason: 'relayed, as nothing joins them' }
    : { verdict: 'needs', reason: `relayed; ${describeProspect(prospect)}`, prospect };
}

function describeProspect({ technique, probability, bestProbability, packets }: Prospect): string {
  const byOrder = bestProbability > probability ? ` to ${percent(bestProbability)}, by who is heard first,` : '';
  return `${technique} joins them with ${percent(probability)}${byOrder} for up to ${packets} packets`;
}

/** Techniques of the flow by which a path of this kind can have come about, the likeliest first. */
function techniquesOf({ strategy, transport, family, remoteTypes }: DirectPath): readonly Technique[] {
  const named = TECHNIQUES.find((technique) => technique === strategy);
  if (named !== undefined) return [named];
  if (transport === 'tcp') return ['tcp'];
  if (family === 6) return ['ipv6'];
  if (remoteTypes.includes('mapped')) return ['mapped'];
  // A pinhole in a firewall is a mapping of a host's own address.
  if (remoteTypes.every((type) => type === 'host')) return ['host', 'mapped'];
  // The other side's packet to a reflexive address may have opened the way to its own.
  if (remoteTypes.includes('host')) return ['host', 'mapped', 'reflexive'];
  // A mapped endpoint that is heard of before it is told counts as peer-reflexive, and so does one that a mapping only opened.
  if (!remoteTypes.every((type) => type === 'prflx')) return ['reflexive', 'hairpin', 'mapped'];
  // A probe may also hit the mapping of the peer's own socket, which is one more that is open.
  return ['reflexive', 'hairpin', 'mapped', 'spray'];
}

function describe({ strategy, transport, family, remoteTypes }: DirectPath): string {
  return `${strategy}, ${transport} over IPv${family} to ${remoteTypes.join(' and ') || 'unknown'}`;
}

/** To two digits after the point, without zeros that say nothing. */
export function percent(probability: number): string {
  return `${Number((probability * 100).toFixed(2))} %`;
}
