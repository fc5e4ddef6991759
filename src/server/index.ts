export type { ServerOptions } from './options.ts';
export { type RunningServer, type ServerCounters, startServer } from './server.ts';
