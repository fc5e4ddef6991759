import { type Observable, tap } from 'rxjs';
import { toHex } from '../core/hex.ts';
import type { Path } from '../core/path.ts';
import type {
  ContactLookup,
  OutgoingOffer,
  Registration,
  Signaling,
  SignalingEvent,
  SignalingStatus,
} from '../core/signaling.ts';
import type { PeerObserver, SeenSignal } from './peer-observer.ts';

/** The same carrier, which tells what goes over it; of envelopes the length. */
export function observedSignaling(carrier: Signaling, observer: Pick<PeerObserver, 'signal'>): Signaling {
  return new ObservedSignaling(carrier, observer);
}

class ObservedSignaling implements Signaling {
  readonly name: string;
  readonly byHand?: true;
  readonly status$: Observable<SignalingStatus>;
  readonly events$: Observable<SignalingEvent>;
  readonly #carrier: Signaling;
  readonly #observer: Pick<PeerObserver, 'signal'>;

  constructor(carrier: Signaling, observer: Pick<PeerObserver, 'signal'>) {
    this.#carrier = carrier;
    this.#observer = observer;
    this.name = carrier.name;
    if (carrier.byHand) this.byHand = true;
    this.status$ = carrier.status$.pipe(tap(({ state }) => this.#tell('received', state)));
    this.events$ = carrier.events$.pipe(
      tap((event) => {
        const { session, envelope } = { session: undefined, envelope: undefined, ...event };
        this.#tell('received', event.type, session, envelope);
      }),
    );
  }

  register(registration: Registration): void {
    this.#tell('sent', 'register');
    this.#carrier.register(registration);
  }

  lookup(request: ContactLookup): void {
    this.#tell('sent', 'lookup', request.session);
    this.#carrier.lookup(request);
  }

  offer(offer: OutgoingOffer): void {
    this.#tell('sent', 'offer', offer.session, offer.envelope);
    this.#carrier.offer(offer);
  }

  send(session: Uint8Array, envelope: Uint8Array): boolean {
    this.#tell('sent', 'envelope', session, envelope);
    return this.#carrier.send(session, envelope);
  }

  relay(session: Uint8Array): Path | undefined {
    return this.#carrier.relay(session);
  }

  leave(session: Uint8Array): void {
    this.#tell('sent', 'leave', session);
    this.#carrier.leave(session);
  }

  close(): void {
    this.#carrier.close();
  }

  #tell(way: SeenSignal['way'], message: string, session?: Uint8Array, envelope?: Uint8Array): void {
    this.#observer.signal?.({
      way,
      message,
      carrier: this.name,
      ...(session !== undefined && { connection: toHex(session) }),
      ...(envelope !== undefined && { length: envelope.length }),
    });
  }
}
