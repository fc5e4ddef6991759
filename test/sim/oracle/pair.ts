import type { NatDependence, NatSpec } from '../../../src/sim/nat/nat-spec.ts';
import { type Forecast, type ForecastOptions, forecast, type Prospect } from '../../../src/sim/oracle/forecast.ts';
import type { TopologyNetwork } from '../../../src/sim/oracle/topology.ts';

/** The nine NATs of mapping x filtering, in the order of the table. */
export const KINDS = ['EI/EI', 'EI/AD', 'EI/APD', 'AD/EI', 'AD/AD', 'AD/APD', 'APD/EI', 'APD/AD', 'APD/APD'] as const;
export type Kind = (typeof KINDS)[number];

/** All unordered pairs, 45 of them. */
export const PAIRS: readonly { readonly a: Kind; readonly b: Kind }[] = KINDS.flatMap((a, i) =>
  KINDS.slice(i).map((b) => ({ a, b })),
);

/** A NAT by its mapping and filtering, with random ports. */
export function kind(name: Kind, options: NatSpec = {}): NatSpec {
  const [mapping, filtering] = name.split('/');
  return { mapping: WORDS[mapping!]!, filtering: WORDS[filtering!]!, ...options };
}

type HomeOptions = Omit<TopologyNetwork, 'name' | 'above'>;

/** A host in each of two homes on the internet. */
export function homes(a: HomeOptions, b: HomeOptions, options?: ForecastOptions): Forecast {
  const networks = [
    { ...a, name: 'home a' },
    { ...b, name: 'home b' },
  ];
  return chains(networks, 'home a', 'home b', options);
}

/** Hosts `a` and `b` in the networks of these names. */
export function chains(
  networks: readonly TopologyNetwork[],
  a: string,
  b: string,
  options?: ForecastOptions,
): Forecast {
  const hosts = [
    { name: 'a', interfaces: [{ network: a }] },
    { name: 'b', interfaces: [{ network: b }] },
  ];
  return forecast({ networks, hosts }, 'a', 'b', options);
}

export function prospect({ prospects }: Forecast, technique: Prospect['technique']): Prospect | undefined {
  return prospects.find((one) => one.technique === technique);
}

const WORDS: Readonly<Record<string, NatDependence>> = {
  EI: 'endpoint-independent',
  AD: 'address-dependent',
  APD: 'address-and-port-dependent',
};
