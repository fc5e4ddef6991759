/** A rendezvous server in a process of its own, for attacks on it. */
import { type RunningServer, type ServerCounters, type ServerOptions, startServer } from '../../src/server/index.ts';
import { offer } from './process.ts';
import { type Usage, watchUsage } from './usage.ts';

let server: RunningServer | undefined;
let usage = watchUsage();

const api = {
  async start(options: ServerOptions): Promise<{ url: string; port: number; stunPort: number }> {
    server = await startServer({ port: 0, stunPort: 0, ...options });
    return { url: server.url, port: Number(new URL(server.url).port), stunPort: server.stun[0]!.port };
  },
  watch(): void {
    usage();
    usage = watchUsage();
  },
  usage: (): Usage => usage(),
  counters: (): ServerCounters | undefined => server?.counters(),
};

export type ServerApi = typeof api;
offer(api);
