import type { Candidate, CandidateType, RemoteCandidate } from '../../core/candidate.ts';
import { endpoint } from '../../core/endpoint.ts';
import type { Dependence, NatBehavior } from '../../core/nat-behavior.ts';
import type { Facts } from '../../core/strategy.ts';
import { type Finding, type Flow, type Strategy, strategyPlaces } from '../../flows/index.ts';
import { type TrialOutcome, tryStrategy } from './trial.ts';

/**
 * What shows when each strategy of the flow is run by itself on a simulated internet: on which everybody answers, or nobody; to its end,
 * stopped at once, and stopped half way; as dialer and as listener. What is open a second after it is over has been forgotten.
 */
export async function trialFindings(flow: Flow): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const [strategy, where] of strategyPlaces(flow)) findings.push(...(await findingsOf(strategy, where)));
  return findings;
}

async function findingsOf(strategy: Strategy, where: string): Promise<readonly Finding[]> {
  const found = new Map<Finding['rule'], Finding>();
  for (const isLucky of [false, true]) {
    for (const facts of SITUATIONS) {
      const whole = await tryStrategy(strategy, { isLucky, facts });
      const endings: readonly [string, TrialOutcome][] = [
        ['at its end', whole],
        ['stopped at once', await tryStrategy(strategy, { isLucky, facts, stopAfter: 0 })],
        ['stopped half way', await tryStrategy(strategy, { isLucky, facts, stopAfter: whole.duration / 2 })],
      ];
      for (const [ending, outcome] of endings) {
        const when = `as ${facts.role}, ${ending}, where ${isLucky ? 'everybody' : 'nobody'} answers`;
        for (const [rule, message] of faultsOf(strategy, outcome))
          if (!found.has(rule)) found.set(rule, { rule, where, message: `${message} (${when})` });
      }
    }
  }
  return [...found.values()];
}

function faultsOf({ name }: Strategy, outcome: TrialOutcome): readonly [Finding['rule'], string][] {
  const { socketsKept, paths, madeLate } = outcome;
  const faults: [Finding['rule'], string][] = [];
  if (socketsKept > 0) faults.push(['sockets-kept', `${name} left ${socketsKept} of its sockets open`]);
  if (paths > 1) faults.push(['two-winners', `${name} made ${paths} paths, where one is wanted`]);
  if (madeLate) faults.push(['two-winners', `${name} made a path when another strategy may have won`]);
  return faults;
}

const behavior = (mapping: Dependence): NatBehavior => ({
  mapping,
  filtering: 'address-and-port-dependent',
  portPreservation: false,
  translated: true,
  evidence: [],
});

const candidate = (type: CandidateType, address: string): Candidate & RemoteCandidate => ({
  type,
  transport: 'udp',
  endpoint: endpoint(address, 4_000),
  base: endpoint(address, 4_000),
  priority: 1,
  foundation: type,
});

/** One of the NATs maps by destination, so that strategies for such pairs have their reason to run. */
const SITUATIONS: readonly Facts[] = [
  {
    role: 'dialer',
    policy: 'relay-first',
    local: [candidate('host', '10.0.0.2'), candidate('srflx', '198.51.100.6')],
    remote: [candidate('srflx', '198.51.100.7')],
    behaviors: { mine: behavior('endpoint-independent'), theirs: behavior('address-and-port-dependent') },
  },
  {
    role: 'listener',
    policy: 'relay-first',
    local: [candidate('host', '10.0.0.2'), candidate('srflx', '198.51.100.7')],
    remote: [candidate('srflx', '198.51.100.6')],
    behaviors: { mine: behavior('address-and-port-dependent'), theirs: behavior('endpoint-independent') },
  },
];
