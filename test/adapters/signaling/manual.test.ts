import { firstValueFrom } from 'rxjs';
import { beforeEach, describe, expect, it } from 'vitest';
import { MANUAL_URL, type ManualSignaling, manualSignaling } from '../../../src/adapters/signaling/manual.ts';
import type { Signaling, SignalingEvent } from '../../../src/core/signaling.ts';
import { encodeTicket, ticketId } from '../../../src/protocol/rendezvous/index.ts';
import { anySignalingCompliance } from '../../../src/testing/compliance/index.ts';
import { type ManualClock, manualClock } from '../../manual-clock.ts';
import { filled, testIdentity } from '../../protocol/rendezvous/support.ts';

anySignalingCompliance({
  name: 'manual',
  async create() {
    const clock = manualClock();
    const { signaling } = manualSignaling({ clock });
    return { signaling, clock, settle: (promise) => promise, close: async () => {} };
  },
});

const MINUTE = 60_000;
const secret = filled(16, 2);
const session = filled(16, 1);
const standing = { ticketId: ticketId(secret), envelope: filled(50, 3) };
const offer = { session, to: filled(32, 1), ticketId: standing.ticketId, envelope: filled(60, 4) };

let clock: ManualClock;
let listener: ManualSignaling;
let dialer: ManualSignaling;
let here: Signaling;
let there: Signaling;
let ticket: string;

beforeEach(() => {
  clock = manualClock();
  [listener, dialer] = [manualSignaling({ clock }), manualSignaling({ clock })];
  [here, there] = [listener.signaling(), dialer.signaling()];
  here.register({ ...testIdentity(), standing: [standing] });
  const expires = clock.wallTime() + 60 * MINUTE;
  ticket = encodeTicket({ servers: [MANUAL_URL], stun: [], key: filled(32, 1), secret, expires });
});

function events(signaling: Signaling): SignalingEvent[] {
  const seen: SignalingEvent[] = [];
  signaling.events$.subscribe((event) => seen.push(event));
  return seen;
}

/** The dialer's reply to the listener's invitation. */
async function reply(): Promise<string> {
  expect(dialer.open(listener.invite(ticket))).toBe(ticket);
  const text = firstValueFrom(dialer.replies$);
  there.offer(offer);
  return text;
}

describe('manual signalling', () => {
  it('hands the dialer the standing answer, and the listener the offer', async () => {
    const [atListener, atDialer] = [events(here), events(there)];
    listener.accept(await reply());
    await Promise.resolve();
    expect(atDialer).toEqual([{ type: 'standing', session, envelope: expect.anything() }]);
    expect(new Uint8Array((atDialer[0] as { envelope: Uint8Array }).envelope)).toEqual(standing.envelope);
    const { envelope } = atListener.find(({ type }) => type === 'offer') as { envelope: Uint8Array };
    expect(new Uint8Array(envelope)).toEqual(offer.envelope);
  });

  it('says nothing more: no envelopes, no relay, no second reply', async () => {
    await reply();
    const more = firstValueFrom(dialer.replies$, { defaultValue: 'none' });
    there.offer({ ...offer, envelope: filled(60, 5) });
    expect(there.send(session, filled(1, 1))).toBe(false);
    expect(there.relay(session)).toBeUndefined();
    const another = filled(16, 9);
    there.offer({ ...offer, session: another });
    listener.accept(await more);
    const { session: accepted } = (await firstValueFrom(here.events$)) as { session: Uint8Array };
    expect(new Uint8Array(accepted)).toEqual(another);
  });

  it('takes replies of several dialers to one invitation', async () => {
    const second = manualSignaling({ clock });
    second.open(listener.invite(ticket));
    const text = firstValueFrom(second.replies$);
    second.signaling().offer({ ...offer, session: filled(16, 9) });
    const seen = events(here);
    for (const each of [await reply(), await text]) listener.accept(each);
    await Promise.resolve();
    expect(seen.filter(({ type }) => type === 'offer')).toHaveLength(2);
  });

  it('makes no invitation of a ticket that was not made here', () => {
    const foreign = encodeTicket({
      servers: [MANUAL_URL],
      stun: [],
      key: filled(32, 1),
      secret: session,
      expires: 2 ** 47,
    });
    expect(() => listener.invite(foreign)).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }));
    expect(() => listener.invite('hello')).toThrow(expect.objectContaining({ code: 'ERR_TICKET_MALFORMED' }));
  });

  it('does not dial with a bare ticket', async () => {
    const seen = events(there);
    there.offer(offer);
    await Promise.resolve();
    expect(seen).toEqual([{ type: 'unreachable', session, reason: 'unknown' }]);
  });

  it('takes no reply to an invitation that is used up, or of a peer that has ended', async () => {
    const text = await reply();
    here.register({ ...testIdentity(), standing: [] });
    expect(() => listener.accept(text)).toThrow(expect.objectContaining({ code: 'ERR_TICKET_REJECTED' }));
    here.register({ ...testIdentity(), standing: [standing] });
    here.close();
    expect(() => listener.accept(text)).toThrow(expect.objectContaining({ code: 'ERR_TICKET_REJECTED' }));
  });

  it('takes a reply for 10 minutes, and an invitation as long as its ticket', async () => {
    const text = await reply();
    clock.advance(10 * MINUTE - 1);
    listener.accept(text);
    clock.advance(1);
    expect(() => listener.accept(text)).toThrow(expect.objectContaining({ code: 'ERR_OFFER_EXPIRED' }));
    clock.advance(50 * MINUTE);
    expect(() => dialer.open(listener.invite(ticket))).toThrow(expect.objectContaining({ code: 'ERR_TICKET_EXPIRED' }));
  });
});
