import { cryptoRandom } from '../../src/adapters/node/random.ts';
import type { ContactLookup, OutgoingOffer, Signaling, StandingAnswer } from '../../src/core/signaling.ts';
import {
  createEnvelopeChannel,
  openStanding,
  type PeerMessage,
  type Ticket,
} from '../../src/protocol/rendezvous/index.ts';

/** Signalling that keeps a copy of all that its users send. */
export interface SignalingTap {
  readonly signaling: () => Signaling;
  readonly lookups: readonly ContactLookup[];
  readonly offers: readonly OutgoingOffer[];
  /** What was in the envelopes, as one who holds the ticket reads it; of one connection. */
  messages(ticket: Ticket): { readonly dialer: readonly PeerMessage[]; readonly listener: readonly PeerMessage[] };
}

/** `relays: false`: as if the server relayed no datagrams. */
export function tappedSignaling(open: () => Signaling, { relays = true } = {}): SignalingTap {
  const lookups: ContactLookup[] = [];
  const offers: OutgoingOffer[] = [];
  const standing: StandingAnswer[] = [];
  const envelopes: { readonly session: Uint8Array; readonly envelope: Uint8Array }[] = [];

  return {
    lookups,
    offers,
    signaling() {
      const signaling = open();
      return {
        ...signaling,
        register(registration) {
          standing.push(...registration.standing);
          signaling.register(registration);
        },
        lookup(request) {
          lookups.push(request);
          signaling.lookup(request);
        },
        offer(offer) {
          offers.push(offer);
          envelopes.push(offer);
          signaling.offer(offer);
        },
        send(session, envelope) {
          envelopes.push({ session, envelope });
          return signaling.send(session, envelope);
        },
        relay: (session) => (relays ? signaling.relay(session) : undefined),
      };
    },
    messages({ secret, key: listenerKey }) {
      const [{ session }] = offers as [OutgoingOffer];
      const channel = (role: 'dialer' | 'listener') =>
        createEnvelopeChannel({ secret, session, listenerKey, role, random: cryptoRandom() });
      /** Each end opens what the other has sealed. */
      const [listener, dialer] = [channel('dialer'), channel('listener')];
      const byListener: PeerMessage[] = standing.map(({ envelope }) => openStanding({ secret, listenerKey, envelope }));
      const byDialer: PeerMessage[] = [];
      for (const { envelope } of envelopes) {
        try {
          byDialer.push(dialer.open(envelope));
        } catch {
          byListener.push(listener.open(envelope));
        }
      }
      return { dialer: byDialer, listener: byListener };
    },
  };
}
