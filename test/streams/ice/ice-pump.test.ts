import { describe, expect, it } from 'vitest';
import { endpoint } from '../../../src/core/endpoint.ts';
import { createIceAgent, type IceEvent } from '../../../src/protocol/ice/index.ts';
import { createIcePump, type IcePump } from '../../../src/streams/ice-pump.ts';
import { createPacketRouter, type PacketRouter } from '../../../src/streams/packet-router.ts';
import { candidate, signalled } from '../../protocol/ice/internet.ts';
import { leftOptions, rightOptions } from '../../protocol/ice/pair-of-agents.ts';
import { Wire } from './wire.ts';

interface Side {
  readonly routers: readonly PacketRouter[];
  readonly pump: IcePump;
  readonly events: { readonly t: number; readonly event: IceEvent }[];
}

const LEFT_ADDRESSES = ['198.51.100.2', '2001:db8::2'];
const RIGHT_ADDRESSES = ['203.0.113.2', '2001:db8:1::2'];

/** Two hosts with a socket of each family. */
function sides(onLeft: (event: IceEvent, pump: IcePump) => void = () => {}): { wire: Wire; left: Side; right: Side } {
  const wire = new Wire();
  const make = (addresses: readonly string[], port: number, isLeft: boolean): Side => {
    const routers = addresses.map((address) => createPacketRouter(wire.socket(address, port)));
    const events: Side['events'] = [];
    const pump = createIcePump({
      agent: createIceAgent(isLeft ? leftOptions() : rightOptions()),
      clock: wire.clock,
      routers,
      onEvent: (event) => {
        events.push({ t: wire.clock.now(), event });
        if (isLeft) onLeft(event, pump);
      },
    });
    return { routers, pump, events };
  };
  return { wire, left: make(LEFT_ADDRESSES, 5000, true), right: make(RIGHT_ADDRESSES, 6000, false) };
}

function introduce({ pump }: Side, own: readonly string[], ownPort: number, theirs: readonly string[], port: number) {
  for (const address of own) {
    pump.handle({ type: 'local-candidate', candidate: candidate('host', endpoint(address, ownPort)) });
  }
  for (const address of theirs) {
    pump.handle({ type: 'remote-candidate', candidate: signalled(candidate('host', endpoint(address, port))) });
  }
}

function introduceBoth(left: Side, right: Side): void {
  introduce(left, LEFT_ADDRESSES, 5000, RIGHT_ADDRESSES, 6000);
  introduce(right, RIGHT_ADDRESSES, 6000, LEFT_ADDRESSES, 5000);
}

const typesOf = ({ events }: Side): string[] => events.map(({ t, event }) => `${t} ${event.type}`);

describe('the ICE pump', () => {
  it('makes a valid pair of each family over shared sockets', () => {
    const { wire, left, right } = sides();
    introduceBoth(left, right);
    wire.clock.advance(25);
    expect(typesOf(left)).toEqual(['20 pair.valid', '20 pair.valid']);
    expect(typesOf(right)).toEqual(['20 pair.valid', '20 pair.valid']);
    expect(left.pump.agent.snapshot().pairs.map(({ id, state }) => [id, state])).toEqual(
      expect.arrayContaining([
        ['udp4:5000>203.0.113.2:6000', 'succeeded'],
        ['udp6:5000>[2001:db8:1::2]:6000', 'succeeded'],
      ]),
    );
  });

  it('wakes the agent for retransmissions and never twice for the same', () => {
    const { wire, left } = sides();
    introduce(left, LEFT_ADDRESSES.slice(0, 1), 5000, ['10.9.0.1'], 6000);
    const counts = [0, 199, 1, 399, 1, 799, 1, 60_000].map((ms) => {
      wire.clock.advance(ms);
      return wire.sent.get('198.51.100.2:5000');
    });
    expect(counts).toEqual([1, 1, 2, 2, 3, 3, 4, 4]);
    expect(wire.clock.pending).toBe(0);
  });

  it('takes a packet that the socket drops for a lost one', () => {
    const { wire, left, right } = sides();
    wire.open = false;
    introduceBoth(left, right);
    wire.clock.advance(150);
    wire.open = true;
    wire.clock.advance(75);
    expect(typesOf(left)).toEqual(['220 pair.valid', '220 pair.valid']);
  });

  it('does nothing for a base that no socket has', () => {
    const { wire, left } = sides();
    introduce(left, ['198.51.100.2'], 5999, ['203.0.113.2'], 6000);
    wire.clock.advance(1000);
    expect(wire.sent.size).toBe(0);
  });

  it('takes inputs from within an event', () => {
    const { wire, left, right } = sides((event, pump) => {
      if (event.type === 'pair.valid') pump.handle({ type: 'nominate', pairId: event.pairId });
    });
    introduceBoth(left, right);
    wire.clock.advance(60);
    expect(typesOf(left).filter((line) => line.includes('nominated'))).toEqual([
      '40 pair.nominated',
      '40 pair.nominated',
    ]);
    expect(typesOf(right).filter((line) => line.includes('nominated'))).toEqual([
      '30 pair.nominated',
      '30 pair.nominated',
    ]);
  });

  it('leaves no handler behind for checks that were answered or given up', () => {
    const { wire, left, right } = sides();
    const registered = watchResponses(left.routers);
    introduceBoth(left, right);
    introduce(left, [], 5000, ['10.9.0.1', '10.9.0.2'], 6000);
    wire.clock.advance(30_000);
    expect(registered.made).toBeGreaterThan(6);
    expect(registered.open.size).toBe(0);
  });

  it('stops for good: no timer, no handler, no packet, and the sockets live on', () => {
    const { wire, left, right } = sides();
    introduceBoth(left, right);
    wire.clock.advance(5);
    left.pump.stop();
    const before = wire.sent.get('198.51.100.2:5000');
    left.pump.handle({ type: 'remote-candidate', candidate: candidate('host', endpoint('10.9.0.1', 6000)) });
    wire.clock.advance(20_000);
    expect(wire.sent.get('198.51.100.2:5000')).toBe(before);
    expect(left.events).toEqual([]);
    expect(left.routers[0]!.counters).toMatchObject({ requests: 0, responses: 0 });
    expect(left.routers[0]!.counters.unclaimed).toBeGreaterThan(0);
    right.pump.stop();
    expect(wire.clock.pending).toBe(0);
  });

  it('may be stopped from within an event', () => {
    const { wire, left, right } = sides((_, pump) => pump.stop());
    introduceBoth(left, right);
    wire.clock.advance(20_000);
    expect(typesOf(left)).toEqual(['20 pair.valid']);
  });
});

/** Counts the response handlers that are registered and not taken out. */
function watchResponses(routers: readonly PacketRouter[]): { made: number; readonly open: Set<object> } {
  const watch = { made: 0, open: new Set<object>() };
  for (const router of routers) {
    const onResponse = router.onResponse;
    router.onResponse = (...args) => {
      const token = {};
      const unregister = onResponse(...args);
      watch.made++;
      watch.open.add(token);
      return () => {
        watch.open.delete(token);
        unregister();
      };
    };
  }
  return watch;
}
