import type { Family } from '../../core/endpoint.ts';
import {
  type Attempt,
  tryCall,
  tryHost,
  tryMapped,
  tryOpened,
  tryPredicted,
  tryReflexive,
  trySimultaneousOpen,
} from './attempts.ts';
import type { SendingOrder } from './checks.ts';
import { hitProbability, runSpray, type SprayBudget } from './spray.ts';
import { observe, setStage } from './stage.ts';
import { hasFamily, type Location, locationsOf, readTopology, type Topology } from './topology.ts';
import { runTrial, type Trial } from './trial.ts';

/**
 * How a pair can be joined directly: by addresses of their own (`host`, `ipv6`), by an explicit mapping, by what servers see
 * of them (`reflexive`), by that inside a NAT that both are behind (`hairpin`), by TCP to a side that listens, by the next port in
 * sequence, by guessing a port, or by TCP from both sides at once.
 */
export type Technique = (typeof TECHNIQUES)[number];

export const TECHNIQUES = [
  'host',
  'ipv6',
  'mapped',
  'reflexive',
  'hairpin',
  'tcp',
  'predict',
  'spray',
  'tcp-simultaneous-open',
] as const;

export interface Prospect {
  readonly technique: Technique;
  /** 0..1, whoever begins: the least of all orders. */
  readonly probability: number;
  /** 0..1, with the order that suits best. */
  readonly bestProbability: number;
  readonly bestOrder: SendingOrder;
  /** Packets that both sides together send, at most. */
  readonly packets: number;
}

/** What a host can exchange with servers on the internet, and so which relays it can use. */
export interface ServerReach {
  readonly udp: boolean;
  /** To port 443. */
  readonly tcp: boolean;
}

export interface Forecast {
  /** Techniques that can succeed at all, in the order of {@link TECHNIQUES}. */
  readonly prospects: readonly Prospect[];
  /** The likeliest, the first of several. Where all depend on the order, `relay`; where a side reaches no relay either, `none`. */
  readonly best: Technique | 'relay' | 'none';
  readonly reach: { readonly a: ServerReach; readonly b: ServerReach };
}

export interface ForecastOptions {
  /** What `spray` may cost. Default: 256 sockets and 1024 probes. */
  readonly spray?: SprayBudget;
  /** Whether the two ask their gateways for port mappings. Default true. */
  readonly mapping?: boolean;
}

/**
 * Which techniques can join two hosts of a topology directly, how likely, and for how many packets. Found by trying: the few packets
 * that matter go through the very NATs and firewalls of the simulator, in every order, as if nothing were lost and nothing
 * expired. Errors: `ERR_USAGE` for a host that there is not, or a topology that makes no sense, with the path of the field.
 */
export function forecast(topology: Topology, a: string, b: string, options: ForecastOptions = {}): Forecast {
  const { spray = DEFAULT_SPRAY, mapping = true } = options;
  const read = readTopology(topology);
  const locationsOfA = locationsOf(read, a);
  const locationsOfB = locationsOf(read, b);
  const all = locationsOfA.flatMap((from) => locationsOfB.flatMap((to) => prospectsOf(from, to, { spray, mapping })));
  const prospects = TECHNIQUES.flatMap(
    (technique) => likeliest(all.filter((prospect) => prospect.technique === technique)) ?? [],
  );
  const reach = { a: reachOf(locationsOfA), b: reachOf(locationsOfB) };
  return { prospects, best: bestOf(prospects, reach), reach };
}

/** The likeliest, whoever begins, then with the order that suits best; the first of several that are equal. */
export function likeliest(prospects: readonly Prospect[]): Prospect | undefined {
  return prospects.toSorted((a, b) => b.probability - a.probability || b.bestProbability - a.bestProbability)[0];
}

function prospectsOf(a: Location, b: Location, { spray, mapping }: Required<ForecastOptions>): readonly Prospect[] {
  const attempt = (family: Family, by: Attempt): Trial | undefined =>
    hasFamily(a, family) && hasFamily(b, family) ? runTrial(a, b, family, by) : undefined;
  const reflexive = attempt(4, tryReflexive);
  const opened = mapping ? attempt(4, tryOpened) : undefined;
  const sprayed = (['a', 'b'] as const).map((opener) => {
    const trial = attempt(4, (stage) => runSpray(stage, opener));
    return trial && afford(trial, hitProbability(opener === 'a' ? a : b, spray), spray);
  });
  const calls = (['a', 'b'] as const).flatMap((caller) =>
    FAMILIES.map((family) => attempt(family, tryCall(caller, mapping))),
  );
  const trials: readonly (readonly [Technique, Trial | undefined])[] = [
    ['host', attempt(4, tryHost)],
    ['ipv6', attempt(6, tryHost)],
    ['mapped', mapping ? attempt(4, tryMapped) : undefined],
    ['mapped', (opened?.probability ?? 0) > (reflexive?.probability ?? 0) ? opened : undefined],
    [reflexive?.isHairpinned ? 'hairpin' : 'reflexive', reflexive],
    ...calls.map((trial) => ['tcp', trial] as const),
    ['predict', attempt(4, tryPredicted)],
    ...sprayed.map((trial) => ['spray', trial] as const),
    ['tcp-simultaneous-open', attempt(4, trySimultaneousOpen)],
  ];
  return trials.flatMap(([technique, trial]) => {
    if (trial === undefined) return [];
    const { isHairpinned: _, ...prospect } = trial;
    return [{ technique, ...prospect }];
  });
}

/** What is left of a trial with luck for one that has to have it. */
function afford(trial: Trial, hit: number, { sockets, probes }: SprayBudget): Trial {
  return {
    ...trial,
    probability: trial.probability * hit,
    bestProbability: trial.bestProbability * hit,
    packets: sockets + probes + trial.packets,
  };
}

function reachOf(locations: readonly Location[]): ServerReach {
  const reaches = (protocol: 'udp' | 'tcp'): boolean =>
    locations.some((location) => FAMILIES.some((family) => canReach(location, family, protocol)));
  return { udp: reaches('udp'), tcp: reaches('tcp') };
}

function canReach(location: Location, family: Family, protocol: 'udp' | 'tcp'): boolean {
  if (!hasFamily(location, family)) return false;
  const stage = setStage(location, [], family, 0);
  const [server] = stage.servers;
  return observe(stage, stage.a, protocol === 'tcp' ? { ...server, port: 443 } : server, protocol) !== undefined;
}

function bestOf(prospects: readonly Prospect[], { a, b }: Forecast['reach']): Forecast['best'] {
  const best = likeliest(prospects);
  if (best !== undefined && best.probability > 0) return best.technique;
  return (a.udp || a.tcp) && (b.udp || b.tcp) ? 'relay' : 'none';
}

const FAMILIES: readonly Family[] = [4, 6];
const DEFAULT_SPRAY: SprayBudget = { sockets: 256, probes: 1024 };
