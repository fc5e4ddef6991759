import { NAT_PORTS } from '../spray/port-draw.ts';

/** External ports that a NAT gives out one after the other: each is `step` behind the one before, modulo the ports that it has. */
export interface PortSequence {
  /** The latest that was seen. */
  readonly last: number;
  /** 0: every mapping has this port. */
  readonly step: number;
}

/**
 * What the ports of mappings, in the order in which they were made, tell of the next one; `undefined` when they tell nothing. Others may
 * have taken ports in between: then the differences are multiples of the step. Three differences in a row are as small by chance once
 * in 10^8 times. One port alone tells nothing.
 */
export function readSequence(ports: readonly number[]): PortSequence | undefined {
  const last = ports.at(-1);
  if (last === undefined || ports.length < 2) return undefined;
  const steps = ports.slice(1).map((port, i) => distance(ports[i]!, port));
  if (steps.every((step) => step === 0)) return { last, step: 0 };
  const [first = 0] = steps;
  if (steps.some((step) => step === 0 || step > 0 !== first > 0)) return undefined;
  const unit = steps.map(Math.abs).reduce(greatestCommonDivisor);
  const isSteady = unit <= MAX_STEP && steps.every((step) => Math.abs(step) <= MAX_FOREIGN * unit);
  return isSteady ? { last, step: Math.sign(first) * unit } : undefined;
}

/** Whether it is what another peer may say of its NAT: a port that is given out, and a step that is believed. */
export function isPortSequence(value: { readonly last: unknown; readonly step: unknown }): value is PortSequence {
  const isWithin = (of: unknown, least: number, most: number): boolean =>
    typeof of === 'number' && Number.isInteger(of) && of >= least && of <= most;
  return isWithin(value.last, 1, 65_535) && isWithin(value.step, -MAX_STEP, MAX_STEP);
}

/** The port of the mapping that is made after `count` others. */
export function portAfter({ last, step }: PortSequence, count: number): number {
  const offset = last - NAT_PORTS.first + step * (count + 1);
  return NAT_PORTS.first + (((offset % NAT_PORTS.count) + NAT_PORTS.count) % NAT_PORTS.count);
}

/**
 * Whether ports of one NAT, in whatever order they were made, can be of one sequence: none is far from the next. One port alone can
 * always be.
 */
export function mayBeInSequence(ports: readonly number[]): boolean {
  const sorted = [...new Set(ports)].sort((a, b) => a - b);
  const gaps = sorted.slice(1).map((port, i) => port - sorted[i]!);
  // The gap between the highest and the lowest, around the end of the ports, takes the place of the widest of the others.
  const around = (sorted[0] ?? 0) + NAT_PORTS.count - (sorted.at(-1) ?? 0);
  const widest = Math.max(...gaps, around);
  return [...gaps, around].filter((gap) => gap !== widest).every((gap) => gap <= MAX_STEP);
}

/** From one port to another by the shorter way around. */
function distance(from: number, to: number): number {
  const half = NAT_PORTS.count / 2;
  return ((((to - from + half) % NAT_PORTS.count) + NAT_PORTS.count) % NAT_PORTS.count) - half;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** The widest step that is believed. */
const MAX_STEP = 1024;
/** Steps between two samples at most, those of others included. */
const MAX_FOREIGN = 32;
