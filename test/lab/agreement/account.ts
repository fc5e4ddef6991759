import { type Candidate, type CandidateType, transportOf } from '../../../src/core/candidate.ts';
import { formatEndpoint } from '../../../src/core/endpoint.ts';
import type { PathInfo } from '../../../src/core/path.ts';
import type { Verdict } from '../../../src/core/verdict.ts';
import type { StateText } from '../../../src/trace/index.ts';

/** What came of a pair of sites in one of the worlds, as far as both can tell it. Times are in ms since the dial. */
export interface Account {
  readonly dialer: SideAccount;
  readonly listener: SideAccount;
  /** The first answer to a ping. */
  readonly pong: number | undefined;
}

/** How one side saw it. */
export interface SideAccount {
  readonly outcome: Verdict['outcome'];
  /** Of its last path. */
  readonly transport: PathInfo['transport'] | undefined;
  /** Of which type the other side's candidate is that its last direct path leads to; `prflx`: the other side knew of none. */
  readonly remoteType: CandidateType | undefined;
  /** The kinds of its own candidates that it knew at the end, as `udp srflx`, sorted. */
  readonly candidates: readonly string[];
  /** What it made out of its NAT, if anything. */
  readonly nat: Pick<Verdict['behaviors']['mine'], 'mapping' | 'portPreservation' | 'translated'>;
  readonly steps: readonly Step[];
}

/** A region of the connection's chart went to a state. */
export interface Step {
  readonly at: number;
  readonly region: Region;
  readonly value: string;
}

/**
 * Regions of the chart, and the chart itself. `direct` is what `punch` says until the session is established, and `connected.path` from
 * then on.
 */
export type Region = 'connection' | 'discover' | 'map' | 'fallback' | 'direct';

/** What a side left behind: its chart's states with their times, its paths, and its verdict. */
export interface SideStory {
  readonly stages: readonly { readonly at: number; readonly state: StateText }[];
  readonly paths: readonly (PathInfo | undefined)[];
  readonly verdict: Verdict;
}

/** `other`: the other side's verdict, which knows what leads there. */
export function accountOf({ stages, paths, verdict }: SideStory, other: Verdict): SideAccount {
  const { mapping, portPreservation, translated } = verdict.behaviors.mine;
  const direct = paths.findLast((path) => path?.kind === 'direct');
  return {
    outcome: verdict.outcome,
    transport: paths.findLast((path) => path !== undefined)?.transport,
    remoteType: direct && typeOf(direct, other.candidates.local),
    candidates: [...new Set(verdict.candidates.local.map(kindOf))].sort(),
    nat: { mapping, portPreservation, translated },
    steps: stepsOf(stages),
  };
}

/** ms until a region came to a state for the first time. */
export function timeOf({ steps }: SideAccount, region: Region, value: string): number | undefined {
  return steps.find((step) => step.region === region && step.value === value)?.at;
}

function typeOf({ transport, remote }: PathInfo, candidates: readonly Candidate[]): CandidateType {
  const types = candidates
    .filter((each) => transportOf(each).transport === transport && formatEndpoint(each.endpoint) === remote)
    .map(({ type }) => type);
  // What a mapping made stays its doing when STUN servers see it too.
  return types.includes('mapped') ? 'mapped' : (types[0] ?? 'prflx');
}

function kindOf(candidate: Candidate): string {
  return `${transportOf(candidate).transport} ${candidate.type}`;
}

/**
 * Every change of a region, once. When the other side has heard that the connection is being closed, it gives up the relay: then the last
 * path may be lost, and opened anew, and lost again until this side's session has ended. That is closing, and no recovery.
 */
function stepsOf(stages: SideStory['stages']): Step[] {
  const steps = changesOf(stages);
  const last = steps.at(-1);
  if (last?.value !== 'closed') return steps;
  const farewell = steps.findIndex(({ at, value }) => value === 'recovering' && last.at - at < FAREWELL);
  return farewell === -1 ? steps : [...steps.slice(0, farewell), last];
}

/** ms in which a session ends. */
const FAREWELL = 500;

function changesOf(stages: SideStory['stages']): Step[] {
  const steps: Step[] = [];
  const last = new Map<Region, string>();
  for (const { at, state } of stages) {
    for (const [region, value] of regionsOf(state, last.get('direct'))) {
      if (last.get(region) === value) continue;
      last.set(region, value);
      steps.push({ at, region, value });
    }
  }
  return steps;
}

/** `before`: what was said last of the direct path. */
function* regionsOf(state: StateText, before: string | undefined): Generator<readonly [Region, string]> {
  if (typeof state === 'string') return yield ['connection', state];
  for (const [name, inner] of Object.entries(state)) {
    yield ['connection', name];
    const regions = typeof inner === 'object' ? Object.entries(inner) : [];
    for (const [region, value] of regions) {
      if (region === 'punch') yield ['direct', value === 'punched' ? 'direct' : String(value)];
      else if (region === 'path' && (value === 'direct' || before === 'direct')) yield ['direct', String(value)];
      else if (region === 'discover' || region === 'map' || region === 'fallback') yield [region, String(value)];
    }
  }
}
