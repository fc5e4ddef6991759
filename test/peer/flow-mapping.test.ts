import { filter, firstValueFrom, map } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { matchesState } from 'xstate';
import { pause } from '../../src/core/pause.ts';
import {
  checks,
  defineFlow,
  type FlowSpec,
  interfaces,
  mySide,
  natPmp,
  relay,
  stun,
  upnp,
  when,
} from '../../src/flows/index.ts';
import { createPeer } from '../../src/peer/create-peer.ts';
import type { Peer } from '../../src/peer/peer.ts';
import { type SimEnvironmentOptions, simEnvironment } from '../../src/scenario/index.ts';
import { internet } from '../../src/sim/index.ts';

const SERVERS = ['ws://meet:8790'];

/** A home whose gateway speaks all protocols; what a peer there with this `map` sends to it, and what comes of it. */
function homeWith(spec: Pick<FlowSpec, 'map'>, options: SimEnvironmentOptions = {}) {
  const world = internet({ seed: 1 });
  world.host('meet', { services: [{ type: 'stun' }, { type: 'rendezvous' }] });
  const home = world.nat('home', {}, { gateway: { natPmp: true, pcp: true, upnp: 2 } });
  const env = simEnvironment(home.host('machine'), { servers: SERVERS, ...options });
  const flow = defineFlow({ discover: [interfaces(), stun()], punch: checks(), fallback: relay(), ...spec });
  const asked = { udp: 0, ssdp: 0 };
  world.watch(({ place, fate, packet }) => {
    if (place !== 'machine' || fate !== 'sent' || packet.protocol !== 'udp') return;
    const { port } = packet.destination;
    if (port === 5351) asked.udp++;
    if (port === 1900) asked.ssdp++;
  });
  return {
    world,
    asked,
    run: (test: (peer: Peer) => Promise<void>): Promise<void> =>
      world.clock.runUntil(
        (async () => {
          await using peer = await createPeer({ env, flow });
          await test(peer);
        })(),
      ),
    outside: () => createPeer({ env: simEnvironment(world.host('outside'), { servers: SERVERS }) }),
  };
}

const untilMap = (peer: Peer, state: 'mapped' | 'unavailable'): Promise<unknown> =>
  firstValueFrom(peer.state$.pipe(filter((value) => matchesState({ open: { map: state } }, value))));

const untilMapped = (peer: Peer): Promise<number> =>
  firstValueFrom(
    peer.reachability$.pipe(
      map(({ candidates }) => candidates.filter(({ type }) => type === 'mapped').length),
      filter((count) => count > 0),
    ),
  );

describe('a peer whose flow', () => {
  it('has no `map` asks no gateway, and says nothing of one', async () => {
    const { run, outside, world, asked } = homeWith({});
    await run(async (peer) => {
      await untilMap(peer, 'unavailable');
      await using dialer = await outside();
      const ticket = await peer.createTicket();
      const incoming = firstValueFrom(peer.incoming$);
      await dialer.connect(ticket).ready;
      await pause(world.clock, 5_000);
      const here = await incoming;
      await here.close();
      expect((await here.verdict).attempts.filter(({ strategy }) => strategy === 'map')).toEqual([]);
    });
    expect(asked).toEqual({ udp: 0, ssdp: 0 });
  });

  it('names one protocol asks by that, whatever else there is to ask by', async () => {
    const byUpnp = homeWith({ map: upnp() });
    await byUpnp.run(async (peer) => void expect(await untilMapped(peer)).toBe(1));
    expect([byUpnp.asked.udp, byUpnp.asked.ssdp > 0]).toEqual([0, true]);
    const byNatPmp = homeWith({ map: natPmp() });
    await byNatPmp.run(async (peer) => void expect(await untilMapped(peer)).toBe(1));
    expect([byNatPmp.asked.udp > 0, byNatPmp.asked.ssdp]).toEqual([true, 0]);
  });

  it('asks by protocols of which its environment has none is as one without', async () => {
    const { run, asked } = homeWith({ map: natPmp() }, { mapping: false });
    await run((peer) => untilMap(peer, 'unavailable').then(() => {}));
    expect(asked).toEqual({ udp: 0, ssdp: 0 });
  });

  it('asks only where there is a NAT finds out first', async () => {
    const behind = homeWith({ map: when(mySide({ translated: true }), natPmp()) });
    await behind.run(async (peer) => {
      await untilMap(peer, 'unavailable');
      expect(behind.asked.udp).toBe(0);
      expect(await untilMapped(peer)).toBe(1);
    });
  });
});
