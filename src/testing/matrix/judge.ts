import type { Forecast, Prospect, Technique } from '../../sim/index.ts';
import { likeliest } from '../../sim/oracle/forecast.ts';
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
 * `direct`: directly, as the oracle says the flow can be. `needs`: relayed; a technique that the default flow does not have could do
 * better. `unlucky`: relayed; the flow has a technique that joins them sometimes, by chance or by who is heard first. `relayed`: nothing
 * could do better. `none`: not at all, and nothing could. `short`: the flow has what it takes and did not get there. `impossible`: it
 * got where nothing leads that it can do, so the world or the oracle is wrong.
 */
export type CellVerdict = (typeof VERDICTS)[number];

export const VERDICTS = ['direct', 'needs', 'unlucky', 'relayed', 'none', 'short', 'impossible'] as const;

/** What the default flow does by itself; the oracle knows more. */
export const FLOW_TECHNIQUES: readonly Technique[] = ['host', 'ipv6', 'mapped', 'reflexive', 'hairpin', 'tcp'];

/** Compares a run with the forecast, both ways. */
export function judge({ prospects, reach }: Forecast, run: CellRun): Judgement {
  // Signalling and the relay are one connection over TCP.
  const isReachable = reach.a.tcp && reach.b.tcp;
  if (run.outcome === 'failed') return judgeFailure(run, isReachable);
  if (!isReachable) return { verdict: 'impossible', reason: `${run.outcome}, where a side reaches no server` };
  return run.by === undefined ? judgeRelayed(prospects) : judgeDirect(prospects, run.by);
}

function judgeFailure({ code }: CellRun, isReachable: boolean): Judgement {
  const failed = code === undefined ? 'failed' : `failed (${code})`;
  return isReachable
    ? { verdict: 'short', reason: `${failed}, where both sides reach a relay` }
    : { verdict: 'none', reason: `${failed}, as a side reaches no server` };
}

function judgeDirect(prospects: readonly Prospect[], by: DirectPath): Judgement {
  const own = prospects.filter(isOfFlow);
  const [prospect] = techniquesOf(by).flatMap((name) => own.filter(({ technique }) => technique === name));
  if (prospect !== undefined) {
    return { verdict: 'direct', reason: `direct (${prospect.technique})`, prospect };
  }
  const possible = prospects.map(({ technique }) => technique).join(', ') || 'nothing';
  return { verdict: 'impossible', reason: `direct (${describe(by)}), where the oracle knows ${possible}` };
}

function judgeRelayed(prospects: readonly Prospect[]): Judgement {
  const own = likeliest(prospects.filter(isOfFlow));
  if (own?.probability === 1) {
    return { verdict: 'short', reason: `relayed, where ${own.technique} is sure to join them`, prospect: own };
  }
  if (own !== undefined) return { verdict: 'unlucky', reason: `relayed; ${describeProspect(own)}`, prospect: own };
  const prospect = likeliest(prospects);
  return prospect === undefined
    ? { verdict: 'relayed', reason: 'relayed, as nothing joins them' }
    : { verdict: 'needs', reason: `relayed; ${describeProspect(prospect)}`, prospect };
}

function isOfFlow({ technique }: Prospect): boolean {
  return FLOW_TECHNIQUES.includes(technique);
}

function describeProspect({ technique, probability, bestProbability, packets }: Prospect): string {
  const byOrder = bestProbability > probability ? ` to ${percent(bestProbability)}, by who is heard first,` : '';
  return `${technique} joins them with ${percent(probability)}${byOrder} for up to ${packets} packets`;
}

/** Techniques of the flow by which a path of this kind can have come about, the likeliest first. */
function techniquesOf({ transport, family, remoteTypes }: DirectPath): readonly Technique[] {
  if (transport === 'tcp') return ['tcp'];
  if (family === 6) return ['ipv6'];
  if (remoteTypes.includes('mapped')) return ['mapped'];
  // A pinhole in a firewall is a mapping of a host's own address.
  if (remoteTypes.every((type) => type === 'host')) return ['host', 'mapped'];
  // The other side's packet to a reflexive address may have opened the way to its own.
  if (remoteTypes.includes('host')) return ['host', 'mapped', 'reflexive'];
  // A mapped endpoint that is heard of before it is told counts as peer-reflexive, and so does one that a mapping only opened.
  return ['reflexive', 'hairpin', 'mapped'];
}

function describe({ transport, family, remoteTypes }: DirectPath): string {
  return `${transport} over IPv${family} to ${remoteTypes.join(' and ') || 'unknown'}`;
}

/** To two digits after the point, without zeros that say nothing. */
export function percent(probability: number): string {
  return `${Number((probability * 100).toFixed(2))} %`;
}
