import { filter, firstValueFrom, mergeMap } from 'rxjs';
import { expect, it } from 'vitest';
import { MANUAL_URL, type ManualSignaling, manualSignaling } from '../../src/adapters/signaling/manual.ts';
import { createPeer, type Peer } from '../../src/index.ts';
import { simEnvironment } from '../../src/scenario/index.ts';
import { type Internet, internet } from '../../src/sim/index.ts';
import { echo } from '../../src/streams/index.ts';

const TURN = 'turn:alice:wonderland@turn';
const NAT = { nat: { mapping: 'address-and-port-dependent' } } as const;

/** Two homes that can only meet over a relay, a TURN server, and STUN; nobody carries a message but people. */
function world(): Internet {
  return internet({
    seed: 1,
    networks: [
      { name: 'a-home', ...NAT },
      { name: 'b-home', ...NAT },
    ],
    hosts: [
      { name: 'stun', interfaces: [{ network: 'internet' }], services: [{ type: 'stun' }] },
      {
        name: 'turn',
        interfaces: [{ network: 'internet' }],
        services: [{ type: 'turn', users: { alice: 'wonderland' } }],
      },
      { name: 'a', interfaces: [{ network: 'a-home' }] },
      { name: 'b', interfaces: [{ network: 'b-home' }] },
    ],
  });
}

async function inhabitant(on: Internet, host: string, turn: readonly string[]) {
  const manual: ManualSignaling = manualSignaling({ clock: on.clock });
  const env = simEnvironment(on.hostNamed(host), { servers: [MANUAL_URL], stun: ['stun:3478'], turn, mapping: false });
  const peer: Peer = await createPeer({ env: { ...env, signaling: manual.signaling } });
  return { peer, manual };
}

it.each([
  ['the dialer has a TURN server', [TURN], 0],
  ['it takes people nine minutes', [TURN], 540_000],
  ['its first server does not answer', ['turn:alice:wonderland@stun:9', TURN], 0],
])('by hand, two peers meet at a relay: %s', async (_name, turn, delay) => {
  const on = world();
  await on.clock.runUntil(
    (async () => {
      const [dialer, listener] = [await inhabitant(on, 'a', turn), await inhabitant(on, 'b', [])];
      listener.peer.incoming$.pipe(mergeMap(({ streams$ }) => streams$.pipe(mergeMap(echo)))).subscribe();
      const invitation = listener.manual.invite(await listener.peer.createTicket());
      const reply = firstValueFrom(dialer.manual.replies$);
      const connection = dialer.peer.connect(dialer.manual.open(invitation), { timeout: 3_600_000 });
      const text = await reply;
      await new Promise((resolve) => void on.clock.setTimeout(() => resolve(undefined), delay));
      listener.manual.accept(text);
      const path = await firstValueFrom(connection.path$.pipe(filter((one) => one !== undefined)));
      expect(path).toMatchObject({ kind: 'relayed', transport: 'turn-udp' });
      const stream = await connection.openStream();
      await stream.write(Buffer.from('hello'));
      await stream.end();
      expect(Buffer.from((await stream.read())!).toString()).toBe('hello');
      await Promise.all([dialer.peer.close(), listener.peer.close()]);
    })(),
    7_200_000,
  );
});
