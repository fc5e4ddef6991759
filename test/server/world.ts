import { expect } from 'vitest';
import type { ServerLimits } from '../../src/protocol/rendezvous/index.ts';
import type { RunningServer, ServerOptions } from '../../src/server/index.ts';
import { type ManualClock, manualClock } from '../manual-clock.ts';
import { filled } from '../protocol/rendezvous/support.ts';
import { join, portOf, releases, serve, session } from './raw-client.ts';
import { type RawSocket, rawSocket, rawWebSocket } from './raw-frames.ts';

export interface World {
  readonly clock: ManualClock;
  readonly server: RunningServer;
  readonly port: number;
  /** Fulfils when two clients that behave have exchanged an envelope: the server does its work. */
  work(): Promise<void>;
  open(): Promise<RawSocket>;
  webSocket(): Promise<RawSocket>;
}

/** A server in time that the test moves, with two clients that behave. */
export async function world(limits: Partial<ServerLimits> = {}, options: ServerOptions = {}): Promise<World> {
  const clock = manualClock();
  const server = await serve({ clock, limits, ...options });
  const { dialer, listener } = await join(server, { rejectUnauthorized: false });
  const port = portOf(server);
  const keep = (raw: RawSocket): RawSocket => {
    releases.push(() => raw.socket.destroy());
    return raw;
  };
  return {
    clock,
    server,
    port,
    async work() {
      dialer.send({ type: 'envelope', session, envelope: filled(10, 1) });
      expect(await listener.next()).toMatchObject({ type: 'envelope' });
    },
    open: async () => keep(await rawSocket({ port })),
    webSocket: async () => keep(await rawWebSocket({ port })),
  };
}
