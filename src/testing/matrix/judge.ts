import type { Forecast, Prospect, Technique } from '../../sim/index.ts';
import type { CellRun, DirectPath } from './cell-run.ts';

/**
 * How the run of a cell compares with what the oracle says is possible there. `reason`: one sentence for people. `prospect`: what the
 * oracle says of the technique that won (`direct`), that it would take (`needs`), or that should have won (`short`).
 */
export type Judgement =
  | { readonly verdict: 'direct' | 'needs'; readonly reason: string; readonly prospect: Prospect }
  | { readonly verdict: 'short'; readonly reason: string; readonly prospect?: Prospect }
  | { readonly verdict: 'relayed' | 'none' | 'impossible'; readonly reason: string };

/**
 * `direct`: directly, as the oracle says it can be. `needs`: relayed; a technique that the default flow does not have, or luck, could do better.
 * `relayed`: nothing could do better. `none`: not at all, and nothing could. `short`: the flow has what it takes and did not get
 * there. `impossible`: it got where nothing leads, so the world or the oracle is wrong.
 */
export type CellVerdict = (typeof VERDICTS)[number];

export const VERDICTS = ['direct', 'needs', 'relayed', 'none', 'short', 'impossible'] as const;

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
  const [prospect] = techniquesOf(by).flatMap((name) => prospects.filter(({ technique }) => technique === name));
  if (prospect !== undefined) {
    return { verdict: 'direct', reason: `direct (${prospect.technique})`, prospect };
  }
  const possible = prospects.map(({ technique }) => technique).join(', ') || 'nothing';
  return { verdict: 'impossible', reason: `direct (${describe(by)}), where the oracle knows ${possible}` };
}

function judgeRelayed(prospects: readonly Prospect[]): Judgement {
  const missed = prospects.find(
    ({ technique, probability }) => FLOW_TECHNIQUES.includes(technique) && probability === 1,
  );
  if (missed !== undefined) {
    return { verdict: 'short', reason: `relayed, where ${missed.technique} is sure to join them`, prospect: missed };
  }
  const [first, ...others] = prospects;
  if (first === undefined) return { verdict: 'relayed', reason: 'relayed, as nothing joins them' };
  const prospect = others.reduce(likelier, first);
  return { verdict: 'needs', reason: `relayed; ${describeProspect(prospect)}`, prospect };
}

/** The first of two that are equal. */
function likelier(best: Prospect, one: Prospect): Prospect {
  if (one.probability !== best.probability) return one.probability > best.probability ? one : best;
  return one.bestProbability > best.bestProbability ? one : best;
}

function describeProspect({ technique, probability, bestProbability, packets }: Prospect): string {
  const byOrder = bestProbability > probability ? ` to ${percent(bestProbability)}, by who is heard first,` : '';
  return `${technique} joins them with ${percent(probability)}${byOrder} for up to ${packets} packets`;
}

/** Techniques by which a path of this kind can have come about, the likeliest first. */
function techniquesOf({ transport, family, remoteTypes }: DirectPath): readonly Technique[] {
  if (transport === 'tcp') return ['tcp'];
  if (family === 6) return ['ipv6'];
  if (remoteTypes.includes('mapped')) return ['mapped'];
  // A pinhole in a firewall is a mapping of a host's own address.
  if (remoteTypes.every((type) => type === 'host')) return ['host', 'mapped'];
  // The other side's packet to a reflexive address may have opened the way to its own.
  if (remoteTypes.includes('host')) return ['host', 'mapped', 'reflexive'];
  // A mapped or predicted endpoint that is heard of before it is told counts as peer-reflexive, and so does one that a mapping only opened.
  return ['reflexive', 'hairpin', 'mapped', 'predict'];
}

function describe({ transport, family, remoteTypes }: DirectPath): string {
  return `${transport} over IPv${family} to ${remoteTypes.join(' and ') || 'unknown'}`;
}

/** To two digits after the point, without zeros that say nothing. */
export function percent(probability: number): string {
  return `${Number((probability * 100).toFixed(2))} %`;
}
