export { simEnvironment } from './environment.ts';
export { simNetwork } from './network.ts';
export { clockScheduler } from './scheduler.ts';
