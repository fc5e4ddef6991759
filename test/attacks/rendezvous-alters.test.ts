import { describe, expect, it } from 'vitest';
import { encodeFrame } from '../../src/protocol/rendezvous/wire.ts';
import { codeOf, createWorld } from '../peer/world.ts';
import { ENVELOPE_FAULTS, onWayDown, withEnvelope } from './envelope-faults.ts';
import { siege, untilDirect } from './siege.ts';
import { connected, EXCHANGED, exchange, victims } from './victims.ts';

describe.concurrent.each(Object.entries(ENVELOPE_FAULTS))(
  'a rendezvous server that alters envelopes (%s)',
  (_, alter) => {
    it('gets no session and nobody in by altered offers', async () => {
      await using world = createWorld();
      const { attacker, dropped, options } = siege();
      const pair = await victims(world, options);
      attacker.meddle = onWayDown((crossing, envelope) =>
        crossing.control?.type === 'offer' ? [withEnvelope(crossing, alter(envelope))] : undefined,
      );
      const connection = pair.dialer.peer.connect(pair.text, { timeout: 700 });
      expect(await codeOf(connection.ready)).toBe('ERR_TIMEOUT');
      expect(attacker.meddled).toBe(1);
      expect(dropped).toHaveLength(1);
      expect(pair.incoming).toEqual([]);
    });

    it('changes nothing by altered copies that come before the true ones', async () => {
      await using world = createWorld();
      const { attacker, dropped, options } = siege();
      attacker.meddle = onWayDown((crossing, envelope) => [withEnvelope(crossing, alter(envelope)), crossing.frame]);
      const pair = await connected(world, options);
      await untilDirect(pair);
      expect(await exchange(pair)).toEqual(EXCHANGED);
      expect(attacker.meddled).toBeGreaterThanOrEqual(3);
      expect(dropped).toHaveLength(attacker.meddled);
      expect(pair.incoming).toHaveLength(1);
    });

    it('does not break a session that stands', async () => {
      await using world = createWorld();
      const { attacker, dropped, options } = siege();
      const pair = await connected(world, options);
      await untilDirect(pair);
      const session = Buffer.from(pair.here.id, 'hex');
      const before = dropped.length;
      const told: Promise<void>[] = [];
      for (const { control } of attacker.seen) {
        if (control?.type !== 'envelope') continue;
        for (const client of ['listener', 'dialer']) {
          told.push(attacker.tell(client, { type: 'envelope', session, envelope: alter(control.envelope) }));
        }
      }
      await Promise.all(told);
      expect(told.length).toBeGreaterThan(0);
      expect(dropped).toHaveLength(before + told.length);
      expect(await exchange(pair)).toEqual(EXCHANGED);
      expect(pair.here.path).toMatchObject({ kind: 'direct' });
    });
  },
);

describe('a rendezvous server that alters what is not sealed', () => {
  it.each(['ticketId', 'session'] as const)('gets no session by another %s in an offer', async (field) => {
    await using world = createWorld();
    const { attacker, options } = siege();
    const pair = await victims(world, options);
    attacker.meddle = ({ direction, control }) =>
      direction === 'down' && control?.type === 'offer'
        ? [encodeFrame({ ...control, [field]: Buffer.alloc(16, 7) })]
        : undefined;
    const connection = pair.dialer.peer.connect(pair.text, { timeout: 700 });
    expect(await codeOf(connection.ready)).not.toBe('fulfilled');
    expect(attacker.meddled).toBe(1);
    expect(pair.incoming).toEqual([]);
  });

  it.each(['unknown', 'declined', 'gone', 'silent'] as const)(
    'breaks no session that stands by saying that the other side is %s',
    async (reason) => {
      await using world = createWorld();
      const { attacker, options } = siege();
      const pair = await connected(world, options);
      await untilDirect(pair);
      const session = Buffer.from(pair.here.id, 'hex');
      for (let i = 0; i < 10; i++) {
        for (const client of ['listener', 'dialer']) {
          await attacker.tell(client, { type: 'unreachable', session, reason });
        }
        expect(await exchange(pair)).toEqual(EXCHANGED);
      }
      expect([pair.here.path?.kind, pair.there.path?.kind]).toEqual(['direct', 'direct']);
    },
  );

  it.each(['ERR_BUSY', 'ERR_PEER_KEY', 'ERR_PROTOCOL', 'ERR_SERVER_REFUSED'] as const)(
    'breaks no session that stands by the error %s',
    async (code) => {
      await using world = createWorld();
      const { attacker, options } = siege();
      const pair = await connected(world, options);
      await untilDirect(pair);
      const session = Buffer.from(pair.here.id, 'hex');
      for (const client of ['listener', 'dialer']) {
        await attacker.tell(client, { type: 'error', code, message: 'says the attacker', session });
        await attacker.tell(client, { type: 'error', code, message: 'says the attacker' });
        await attacker.tell(client, { type: 'replaced' });
      }
      expect(await exchange(pair)).toEqual(EXCHANGED);
      expect([pair.here.path?.kind, pair.there.path?.kind]).toEqual(['direct', 'direct']);
    },
  );
});
