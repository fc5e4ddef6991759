import { natPmp } from '../../../src/adapters/port-mapper/nat-pmp.ts';
import { pcp } from '../../../src/adapters/port-mapper/pcp.ts';
import { portMapperCompliance } from '../../../src/testing/compliance/index.ts';
import { natUpnpWorld, udpWorld, upnpWorld } from './compliance-worlds.ts';

const skip = [{ test: 'lists what the gateway maps, for whomever', reason: 'the protocol has no list' }];

portMapperCompliance({ name: 'natPmp', skip, create: () => udpWorld('nat-pmp', natPmp(), '127.68.86.1') });
portMapperCompliance({ name: 'pcp', skip, create: () => udpWorld('pcp', pcp(), '127.68.87.1') });
for (const version of [1, 2] as const) {
  portMapperCompliance({ name: `upnpIgd, version ${version}`, create: () => upnpWorld(version) });
}
portMapperCompliance({ name: 'natUpnp', create: natUpnpWorld });
