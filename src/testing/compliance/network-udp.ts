import { firstValueFrom, lastValueFrom, map, take, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { endpoint } from '../../core/endpoint.ts';
import type { NetworkWorld } from './network-world.ts';

/** What every `DatagramSocket` owes its users. */
export function udpCompliance(world: NetworkWorld): void {
  describe('UDP', () => {
    it('binds any free port, and says which', async () => {
      const [first, second] = [await world.udp(world.server), await world.udp(world.server)];
      expect(first.local).toMatchObject({ address: world.address, family: world.family });
      expect(first.local.port).toBeGreaterThan(0);
      expect(second.local.port).not.toBe(first.local.port);
    });

    it('carries datagrams both ways and names their source', async () => {
      const [server, client] = [await world.udp(world.server), await world.udp(world.client)];
      server.datagrams$.subscribe(({ data, from }) => server.send(Uint8Array.of(...data, 0xff), from));
      const answer = firstValueFrom(client.datagrams$.pipe(map(({ data, from }) => ({ data: [...data], from }))));
      expect(client.send(Uint8Array.of(1, 2, 3), server.local)).toBe(true);
      expect(await answer).toEqual({ data: [1, 2, 3, 0xff], from: server.local });
    });

    it.each([0, 1, 1200])('keeps a datagram of %d bytes whole', async (length) => {
      const [server, client] = [await world.udp(world.server), await world.udp(world.client)];
      const sent = Uint8Array.from({ length }, (_, i) => i);
      const received = firstValueFrom(server.datagrams$.pipe(map(({ data }) => Uint8Array.from(data))));
      client.send(sent, server.local);
      expect(await received).toEqual(sent);
    });

    it('tells many sources apart', async () => {
      const server = await world.udp(world.server);
      server.datagrams$.subscribe(({ data, from }) => server.send(data, from));
      const clients = await Promise.all(Array.from({ length: 100 }, () => world.udp(world.client)));
      const answers = clients.map((client, i) => {
        const answer = lastValueFrom(
          client.datagrams$.pipe(
            take(3),
            map(({ data }) => data[0]),
            toArray(),
          ),
        );
        for (let message = 0; message < 3; message++) client.send(Uint8Array.of(i), server.local);
        return answer;
      });
      expect(await Promise.all(answers)).toEqual(clients.map((_, i) => [i, i, i]));
    });

    it('survives datagrams that nobody takes', async () => {
      const [server, client, gone] = [
        await world.udp(world.server),
        await world.udp(world.client),
        await world.udp(world.server),
      ];
      gone.close();
      for (let i = 0; i < 10; i++) client.send(Uint8Array.of(i), gone.local);
      const received = firstValueFrom(server.datagrams$.pipe(map(({ data }) => data[0])));
      client.send(Uint8Array.of(42), server.local);
      expect(await received).toBe(42);
    });

    it('survives a datagram that is too long for the network', async () => {
      const [server, client] = [await world.udp(world.server), await world.udp(world.client)];
      const received = firstValueFrom(server.datagrams$.pipe(map(({ data }) => data[0])));
      client.send(new Uint8Array(70_000), server.local);
      client.send(Uint8Array.of(42), server.local);
      expect(await received).toBe(42);
    });

    it('drops at once what cannot be addressed', async () => {
      const socket = await world.udp(world.client);
      const otherFamily = world.family === 4 ? '::1' : '127.0.0.1';
      expect(socket.send(Uint8Array.of(1), endpoint(otherFamily, 9))).toBe(false);
      expect(socket.send(Uint8Array.of(1), endpoint(world.address, 0))).toBe(false);
    });

    it('completes its datagrams on close, and drops what is sent afterwards', async () => {
      const socket = await world.udp(world.server);
      const rest = lastValueFrom(socket.datagrams$.pipe(toArray()));
      socket.close();
      socket.close();
      expect(await rest).toEqual([]);
      expect(socket.send(Uint8Array.of(1), endpoint(world.address, 9))).toBe(false);
    });

    it('gives a port to one socket at a time', async () => {
      const first = await world.udp(world.server);
      await expect(world.udp(world.server, first.local.port)).rejects.toMatchObject({ code: 'ERR_PORT_IN_USE' });
      first.close();
      expect((await world.udp(world.server, first.local.port)).local).toEqual(first.local);
    });
  });
}
