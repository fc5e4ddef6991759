import { anySignalingTests } from './signaling-any.ts';
import { introductionTests } from './signaling-introduction.ts';
import { outageTests } from './signaling-outage.ts';
import { registrationTests } from './signaling-registration.ts';
import { signalingRelayTests } from './signaling-relay.ts';
import { AnySignalingBench, type AnySignalingWorld, SignalingBench, type SignalingWorld } from './signaling-world.ts';
import { type Compliance, comply, type Suite } from './suite.ts';

/** What every `Signaling` owes its users, also one that goes without a server. */
export function anySignalingCompliance(options: Compliance<AnySignalingWorld>): void {
  comply({ contract: 'signalling', bench: AnySignalingBench, groups: { 'by itself': anySignalingTests } }, options);
}

/** The same, and what every `Signaling` that goes through a rendezvous server owes. */
export function signalingCompliance(options: Compliance<SignalingWorld>): void {
  comply(signalingSuite, options);
}

export const signalingSuite: Suite<SignalingWorld, SignalingBench> = {
  contract: 'signalling through a server',
  bench: SignalingBench,
  groups: {
    'by itself': anySignalingTests,
    introduction: introductionTests,
    registration: registrationTests,
    'as a relay': signalingRelayTests,
    'when the server is gone': outageTests,
  },
};
