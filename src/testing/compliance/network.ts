import { describe, expect, it } from 'vitest';
import { tcpCompliance } from './network-tcp.ts';
import { udpCompliance } from './network-udp.ts';
import { type NetworkUnderTest, NetworkWorld } from './network-world.ts';

/** What every `Network` owes its users, whatever carries the bytes. Nothing here depends on how fast they travel. */
export function networkCompliance({ name, create }: { name: string; create: () => NetworkUnderTest }): void {
  describe(`${name} as a Network`, () => {
    const world = new NetworkWorld(create);
    udpCompliance(world);
    tcpCompliance(world);

    describe('names and addresses', () => {
      it('answers a numeric address with its canonical text', async () => {
        expect(await world.client.resolve('2001:DB8:0::1')).toEqual(['2001:db8::1']);
        expect(await world.client.resolve('192.0.2.1', { family: 4 })).toEqual(['192.0.2.1']);
      });

      it('has no answer in the other family', async () => {
        await expect(world.client.resolve('192.0.2.1', { family: 6 })).rejects.toMatchObject({ code: 'ERR_RESOLVE' });
      });

      it('does not resolve for an aborted signal', async () => {
        const resolving = world.client.resolve('192.0.2.1', { signal: AbortSignal.abort() });
        await expect(resolving).rejects.toMatchObject({ code: 'ERR_ABORTED' });
      });

      it('lists the addresses of the host', () => {
        expect(world.server.interfaces()).toContainEqual(
          expect.objectContaining({ address: world.address, family: world.family }),
        );
      });
    });
  });
}
