export type { ServerCounters } from './counters.ts';
export type { ServerOptions } from './options.ts';
export { type RunningServer, startServer } from './server.ts';
