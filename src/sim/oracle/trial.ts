import type { Family } from '../../core/endpoint.ts';
import { readNatSpec } from '../nat/nat-spec.ts';
import type { Attempt } from './attempts.ts';
import { ORDERS, type SendingOrder } from './checks.ts';
import { setStage } from './stage.ts';
import { externalAddresses, type Location } from './topology.ts';

/** What an attempt came to, in every order. */
export interface Trial {
  /** 0..1, whoever begins: the least of all orders. */
  readonly probability: number;
  /** 0..1, with the order that suits best. */
  readonly bestProbability: number;
  readonly bestOrder: SendingOrder;
  /** Packets that both sides together send, at most. */
  readonly packets: number;
  readonly isHairpinned: boolean;
}

/** Makes an attempt in every order, each on a stage of its own. `undefined` when it succeeds in none. */
export function runTrial(a: Location, b: Location, family: Family, attempt: Attempt): Trial | undefined {
  const worlds = isByChance(a) || isByChance(b) ? WORLDS_OF_CHANCE : 1;
  const byOrder = ORDERS.map((order) => {
    const runs = Array.from({ length: worlds }, (_, seed) => attempt(setStage(a, b, family, seed), order));
    return { order, joined: runs.filter((run) => run !== undefined).filter(({ isJoined }) => isJoined) };
  });
  const best = byOrder.reduce((best, one) => (one.joined.length > best.joined.length ? one : best));
  if (best.joined.length === 0) return undefined;
  return {
    probability: Math.min(...byOrder.map(({ joined }) => joined.length)) / worlds,
    bestProbability: best.joined.length / worlds,
    bestOrder: best.order,
    packets: Math.max(...byOrder.flatMap(({ joined }) => joined.map(({ packets }) => packets))),
    isHairpinned: best.joined.some(({ isHairpinned }) => isHairpinned),
  };
}

/** Whether what a NAT draws may decide: one of several addresses, or one of few ports. */
function isByChance(location: Location): boolean {
  return location.some((network) => {
    if (network.nat === undefined) return false;
    const { pooling, ports } = readNatSpec(network.nat, 'nat');
    return (pooling === 'arbitrary' && externalAddresses(network) > 1) || ports.last - ports.first < FEW_PORTS;
  });
}

/** So many seeds make a probability good to about 0.06. */
const WORLDS_OF_CHANCE = 64;
/** With so many ports, two draws are the same once in a thousand times at most. */
const FEW_PORTS = 1024;
