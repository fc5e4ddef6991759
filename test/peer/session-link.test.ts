import { NEVER } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { endpoint } from '../../src/core/endpoint.ts';
import type { Session, SessionFactory } from '../../src/core/session.ts';
import { createSessionLink, type SessionLink } from '../../src/peer/session-link.ts';
import { createDirectPath, type DirectPath } from '../../src/streams/direct-path.ts';
import type { PacketHandler, PacketRouter } from '../../src/streams/packet-router.ts';
import { manualClock } from '../manual-clock.ts';

const REMOTE = endpoint('203.0.113.7', 5000);

const path = (id: string): DirectPath =>
  createDirectPath({ id, transport: 'udp', send: () => true, local: REMOTE, remote: REMOTE, strategy: 'checks' });

/** A link whose session takes every packet for authentic, and what brings one in from {@link REMOTE}. */
function openLink(): { link: SessionLink; arrive: () => void } {
  let deliver: PacketHandler = () => {};
  const router = {
    onPacket(_: Uint8Array, handler: PacketHandler) {
      deliver = handler;
      return () => {};
    },
  };
  const session = {
    connectionId: new Uint8Array(16),
    authenticate: () => true,
    isWaiting: () => false,
    stats: () => ({ rtt: 80 }),
    pathChanged: () => {},
    streams$: NEVER,
  };
  const clock = manualClock();
  const factory: SessionFactory = { create: () => session as unknown as Session, close: () => {} };
  const link = createSessionLink({ role: 'client', factory, routers: [router as unknown as PacketRouter], clock });
  link.open(new Uint8Array(32));
  return {
    link,
    arrive() {
      clock.advance(1_000);
      deliver(new Uint8Array(1), REMOTE);
    },
  };
}

describe('a packet from an address that two generations have a path to', () => {
  it('has come by the path in use, whichever was found last', () => {
    const { link, arrive } = openLink();
    for (const id of ['later', 'former']) link.addDirect(path(id));
    link.use('later');
    arrive();
    expect(link.table.lastHeard?.id).toBe('later');
    link.use('former');
    arrive();
    expect(link.table.lastHeard?.id).toBe('former');
  });

  it('has come by the latest, while neither is in use', () => {
    const { link, arrive } = openLink();
    for (const id of ['former', 'later']) link.addDirect(path(id));
    arrive();
    expect(link.table.lastHeard?.id).toBe('later');
  });

  it('has come by the one that is left', () => {
    const { link, arrive } = openLink();
    for (const id of ['former', 'later']) link.addDirect(path(id));
    link.remove('later');
    arrive();
    expect(link.table.lastHeard?.id).toBe('former');
  });

  it('has come by the new one of a pair that is found again', () => {
    const { link, arrive } = openLink();
    link.addDirect(path('again'));
    link.addDirect(path('again'));
    arrive();
    expect(link.table.lastHeard?.id).toBe('again');
  });
});
