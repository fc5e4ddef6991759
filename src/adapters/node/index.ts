export { systemClock } from './clock.ts';
export type { Drop, ReportDrop } from './drop.ts';
export { type NodeNetworkOptions, nodeNetwork } from './network.ts';
export { cryptoRandom } from './random.ts';
