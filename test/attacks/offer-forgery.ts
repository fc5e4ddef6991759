import { filter, firstValueFrom } from 'rxjs';
import { createIdentity } from '../../src/adapters/node/identity.ts';
import { cryptoRandom } from '../../src/adapters/node/index.ts';
import { unknownBehavior } from '../../src/core/nat-behavior.ts';
import type { OutgoingOffer, Signaling, SignalingEvent } from '../../src/core/signaling.ts';
import {
  createEnvelopeChannel,
  type EnvelopeChannel,
  type OfferMessage,
  type PeerMessage,
  type Ticket,
  ticketId,
} from '../../src/protocol/rendezvous/index.ts';

const random = cryptoRandom();

/** An offer made by hand, and the channel that opens what is answered to it. */
export interface ForgedOffer {
  readonly offer: OutgoingOffer;
  readonly channel: EnvelopeChannel;
}

export interface OfferForgery {
  /** What it is sealed under; the ticket's own secret when absent. */
  readonly secret?: Uint8Array;
  readonly session?: Uint8Array;
  /** What it says, where that is not what an honest dialer would say. */
  readonly message?: Partial<OfferMessage>;
  /** The sequence number of its envelope; 0 when absent. */
  readonly firstSequence?: number;
}

/** An offer for the holder of this ticket's key, true but for the changes. */
export function forgeOffer(
  { key: listenerKey, secret: trueSecret }: Pick<Ticket, 'key' | 'secret'>,
  { secret = trueSecret, session = new Uint8Array(random.bytes(16)), message, firstSequence }: OfferForgery = {},
): ForgedOffer {
  const channel = createEnvelopeChannel({ secret, session, listenerKey, role: 'dialer', random, firstSequence });
  const envelope = channel.seal({
    type: 'offer',
    dialerKey: createIdentity().publicKey,
    listenerKey,
    issuedAt: Date.now(),
    policy: 'relay-first',
    candidates: [],
    behavior: unknownBehavior,
    flight: [],
    end: true,
    ...message,
  });
  return { offer: { session, to: listenerKey, ticketId: ticketId(trueSecret), envelope }, channel };
}

/** A client of the server that is no peer, once it is online. */
export async function strangerAt(signaling: Signaling): Promise<Signaling> {
  await firstValueFrom(signaling.status$.pipe(filter(({ state }) => state === 'online')));
  return signaling;
}

/** The next thing that is said of this session, standing answers aside. */
export function nextOf(signaling: Signaling, session: Uint8Array): Promise<SignalingEvent> {
  return firstValueFrom(
    signaling.events$.pipe(
      filter(
        (event) =>
          'session' in event &&
          event.session !== undefined &&
          Buffer.compare(event.session, session) === 0 &&
          event.type !== 'standing',
      ),
    ),
  );
}

/** What the listener answers to the offer. */
export async function answerOf(signaling: Signaling, { offer, channel }: ForgedOffer): Promise<PeerMessage> {
  const answered = nextOf(signaling, offer.session);
  signaling.offer(offer);
  const event = await answered;
  if (event.type !== 'envelope') throw new Error(`${event.type} where the listener’s word was due`);
  return channel.open(event.envelope);
}
