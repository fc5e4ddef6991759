import { signalingSuite } from '../../../../src/testing/compliance/signaling.ts';
import { memoryWorld } from '../../../adapters/signaling/memory-world.ts';
import { faultySuite } from './fault.ts';
import { signalingFaults } from './signaling-faults.ts';

export const faultySignaling = faultySuite(signalingSuite, signalingFaults, async (plant) => plant(memoryWorld()));
