import type { NatSpec, NetworkSpec } from '../../src/sim.ts';
import type { SimulatorDriverOptions } from '../../src/testing/index.ts';

/** Between which checks are enough. */
export const LINUX: SimulatorDriverOptions = { a: 'linux', b: 'linux' };

/** Between which there is no direct path. */
export const HOTELS: SimulatorDriverOptions = { a: 'hotel-wifi', b: 'hotel-wifi' };

/** A NAT whose next port can be told from the last ones. */
export const IN_SEQUENCE: NatSpec = {
  mapping: 'address-and-port-dependent',
  filtering: 'address-and-port-dependent',
  portAllocation: { sequential: 1 },
};

/** Behind a gateway with these protocols. Leases are as short as they may be: they are renewed while a test runs. */
export function mapping(protocols: Omit<NonNullable<NetworkSpec['gateway']>, 'maxLifetime'>): readonly NetworkSpec[] {
  return [{ nat: { portAllocation: 'preserve' }, gateway: { ...protocols, maxLifetime: 120 } }];
}

/** Behind a gateway that knows all protocols. */
export const WILLING: readonly NetworkSpec[] = mapping({ pcp: true, natPmp: true, upnp: 2 });
