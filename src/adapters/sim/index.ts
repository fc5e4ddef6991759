export { simIdentity } from './identity.ts';
export { type SimLeaseJournal, simLeaseJournal } from './lease-journal.ts';
export { simNetwork } from './network.ts';
export { clockScheduler } from './scheduler.ts';
export { type SimSessionsOptions, simSessions } from './session/index.ts';
export { type SimSignalingOptions, simSignaling } from './signaling.ts';
