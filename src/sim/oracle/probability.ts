/**
 * What packets at random ports come to. All ports of a pool are taken for equally likely, which is the worst case for whoever
 * guesses.
 */

/** External ports that a NAT gives out: all but the system ports. */
export const PORT_POOL = 64_512;

/**
 * That at least one of `probes` different ports, of a pool of `ports`, is one of `sockets` that are open:
 * 1 - C(ports - sockets, probes) / C(ports, probes).
 */
export function sprayProbability(sockets: number, probes: number, ports = PORT_POOL): number {
  if (sockets + probes > ports) return 1;
  let miss = 1;
  for (let i = 0; i < sockets; i++) miss *= (ports - probes - i) / (ports - i);
  return 1 - miss;
}

/** The fewest probes that hit one of `sockets` open ports with `probability` (0..1). */
export function probesFor(probability: number, sockets: number, ports = PORT_POOL): number {
  let probes = 0;
  let miss = 1;
  while (1 - miss < probability && probes + sockets < ports) {
    miss *= (ports - sockets - probes) / (ports - probes);
    probes++;
  }
  return probes;
}

/** How many probes the first hit takes on average. */
export function meanProbes(sockets: number, ports = PORT_POOL): number {
  return (ports + 1) / (sockets + 1);
}

/** That two sides, whose ports are both random, meet when each sends so many packets: 1 - exp(-mine theirs / ports^2). */
export function mutualProbability(mine: number, theirs: number, ports = PORT_POOL): number {
  return -Math.expm1((-mine * theirs) / ports ** 2);
}

/**
 * The step at which two sweeps over ports given out in sequence meet, one by single steps and one by double ones, both from
 * step 0, when others have taken `x` ports of the first side and `y` of the second since they were sampled. The sweeps have to be
 * one longer than that. Two sweeps by equal steps meet only when `x` and `y` are 0.
 */
export function sweepMeeting(x: number, y: number): number {
  return x + 2 * y;
}
