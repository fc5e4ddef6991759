import { firstValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { PeerObserver, SeenPacket, SeenSignal } from '../../src/index.ts';
import { createWorld, untilPath } from './world.ts';

describe('an observer', () => {
  it('is told of charts, candidates, signalling, packets, pairs and the verdict of a real connection', async () => {
    const signals: SeenSignal[] = [];
    const packets: SeenPacket[] = [];
    const states = new Set<string>();
    const told = new Set<string>();
    const observer: PeerObserver = {
      inspect: ({ type }) => told.add(type),
      reachability: ({ candidates }) => candidates.length > 0 && told.add('candidates'),
      signal: (signal) => signals.push(signal),
      packet: (packet) => packets.push(packet),
      pairs: (_, pairs) => pairs.forEach(({ state }) => void states.add(state)),
      verdict: (connection, { outcome }) => told.add(`${connection} ${outcome}`),
    };
    await using world = createWorld();
    const listener = await world.inhabitant();
    const dialer = await world.inhabitant({ observer });
    const incoming = firstValueFrom(listener.peer.incoming$);
    const connection = dialer.peer.connect(await listener.peer.createTicket());
    await connection.ready;
    await incoming;
    await untilPath(connection, 'direct');
    await connection.close();

    expect([...told]).toEqual(
      expect.arrayContaining(['@xstate.snapshot', '@xstate.microstep', 'candidates', `${connection.id} direct`]),
    );
    const offer = signals.find(({ message }) => message === 'offer');
    expect(offer).toMatchObject({ way: 'sent', connection: connection.id, length: expect.any(Number) });
    expect(signals.some(({ way, message }) => way === 'received' && message === 'online')).toBe(true);
    const kinds = new Set(packets.map(({ way, carries }) => `${way} ${carries}`));
    for (const kind of ['sent STUN Binding request', 'received STUN Binding success', 'sent QUIC'])
      expect(kinds).toContain(kind);
    expect([...states]).toContain('succeeded');
  });

  it('of which nothing is asked costs no tap', async () => {
    await using world = createWorld();
    const { peer } = await world.inhabitant({ observer: {} });
    expect(peer.key).toHaveLength(32);
  });
});
