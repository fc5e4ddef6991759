import { describe, expect, it } from 'vitest';
import type { InspectionEvent } from 'xstate';
import { createPeer, decodeTicket } from '../../src/index.ts';
import { simEnvironment } from '../../src/scenario/index.ts';
import { internet } from '../../src/sim/index.ts';

/** A connection between two peers, of which both are inspected, or none; what the inspector of each saw. */
async function connect(
  isInspected: boolean,
): Promise<{ dialer: InspectionEvent[]; listener: InspectionEvent[]; ticket: string }> {
  const seen = { dialer: [] as InspectionEvent[], listener: [] as InspectionEvent[] };
  const world = internet({ seed: 1 });
  world.host('meet', { services: [{ type: 'stun' }, { type: 'rendezvous' }] });
  const open = (name: 'dialer' | 'listener') =>
    createPeer({
      env: simEnvironment(world.host(name), { servers: ['ws://meet:8790'] }),
      ...(isInspected && { inspect: (event: InspectionEvent) => seen[name].push(event) }),
    });
  const meet = async (): Promise<string> => {
    const listener = await open('listener');
    const ticket = await listener.createTicket();
    const dialer = await open('dialer');
    await dialer.connect(ticket).ready;
    await dialer.close();
    await listener.close();
    return ticket;
  };
  return { ...seen, ticket: await world.clock.runUntil(meet()) };
}

const rootsOf = (events: readonly InspectionEvent[]): string[] => {
  const roots = events.flatMap(({ actorRef, rootId }) =>
    actorRef.sessionId === rootId && 'id' in actorRef ? [String(actorRef.id)] : [],
  );
  return [...new Set(roots)].map((id) => id.replace(/ [0-9a-f]{8}$/, ''));
};

/** The plain data of an inspection event. */
function textOf(inspection: InspectionEvent): string {
  const snapshot = 'snapshot' in inspection ? (inspection.snapshot as { context?: unknown }).context : undefined;
  const event = 'event' in inspection ? inspection.event : undefined;
  return snapshot === undefined && event === undefined ? '' : JSON.stringify({ event, snapshot });
}

describe('PeerOptions.inspect', () => {
  it('sees the charts of the peer, its leases and its connections, with all that they do', async () => {
    const { dialer, listener } = await connect(true);
    for (const events of [dialer, listener]) {
      expect(rootsOf(events).sort()).toEqual(['connection', 'lease-1', 'lease-2', 'peer']);
      const types = new Set(events.map(({ type }) => type));
      for (const type of ['actor', 'event', 'snapshot', 'microstep', 'action'])
        expect(types).toContain(`@xstate.${type}`);
      const facts = events.flatMap((one) => (one.type === '@xstate.event' ? [one.event.type] : []));
      for (const fact of ['discovery.finished', 'path.validated', 'session.established', 'close.requested']) {
        expect(facts).toContain(fact);
      }
    }
  });

  it('sees neither the ticket nor its secret, nor a key', async () => {
    const { dialer, listener, ticket } = await connect(true);
    const { secret, key } = decodeTicket(ticket);
    const seen = [...dialer, ...listener].map(textOf);
    expect(seen.filter((text) => text !== '').length).toBeGreaterThan(100);
    const encodings = ['hex', 'base64', 'base64url'] as const;
    for (const bytes of [secret, key]) {
      for (const encoding of encodings) expect(seen.join()).not.toContain(Buffer.from(bytes).toString(encoding));
      expect(seen.join()).not.toContain([...bytes].join());
    }
    expect(seen.join()).not.toContain(ticket);
  });

  it('is asked for nothing where there is none', async () => {
    expect(await connect(false)).toMatchObject({ dialer: [], listener: [] });
  });
});
