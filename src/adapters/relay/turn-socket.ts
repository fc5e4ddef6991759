import { type Observable, Subject } from 'rxjs';
import type { Clock } from '../../core/clock.ts';
import type { Datagram } from '../../core/datagram.ts';
import { Deferred } from '../../core/deferred.ts';
import { type Endpoint, formatEndpoint } from '../../core/endpoint.ts';
import type { Log } from '../../core/log.ts';
import type { RelayedSocket } from '../../core/relay.ts';
import type { TurnClient, TurnClientEvent, TurnFailure } from '../../protocol/turn/index.ts';
import { TurnDriver } from './turn-driver.ts';
import { relayError } from './turn-failure.ts';
import type { TurnLink } from './turn-link.ts';
import { TurnPeers } from './turn-peers.ts';

export interface TurnSocketOptions {
  readonly relay: RelayedSocket['relay'];
  /** Fresh. */
  readonly engine: TurnClient;
  /** The socket's from now on. */
  readonly link: TurnLink;
  readonly clock: Clock;
  readonly log: Log;
}

/** An allocation as a socket, from the request for it to the end of its release. */
export class TurnSocket implements RelayedSocket {
  readonly relay: RelayedSocket['relay'];
  /** Errors with `ERR_RELAY_UNREACHABLE` or `ERR_RELAY_REFUSED` when the allocation is lost. */
  readonly datagrams$: Observable<Datagram>;
  /** Fulfils with the failure, or with `undefined` once there is an address; closing it before is a failure, too. */
  readonly allocated: Promise<TurnFailure | undefined>;
  readonly #datagrams = new Subject<Datagram>();
  readonly #outcome = new Deferred<TurnFailure | undefined>();
  readonly #driver: TurnDriver;
  readonly #peers: TurnPeers;
  readonly #link: TurnLink;
  readonly #clock: Clock;
  readonly #log: Log;
  #addresses: { readonly relayed: Endpoint; readonly mapped: Endpoint } | undefined;
  #closed = false;

  constructor({ relay, engine, link, clock, log }: TurnSocketOptions) {
    this.relay = relay;
    this.datagrams$ = this.#datagrams.asObservable();
    this.allocated = this.#outcome.promise;
    this.#link = link;
    this.#clock = clock;
    this.#log = log;
    this.#peers = new TurnPeers((wish) => void this.#driver.handle(wish));
    this.#driver = new TurnDriver({
      engine,
      link,
      clock,
      on: { data: (datagram) => this.#receive(datagram), event: (event) => this.#onEvent(event) },
    });
    this.#driver.handle({ type: 'allocate' });
  }

  get local(): Endpoint {
    return this.#allocation().relayed;
  }

  get mapped(): Endpoint {
    return this.#allocation().mapped;
  }

  permit(peer: Endpoint): void {
    if (this.#mayReach(peer)) this.#peers.permit(peer, this.#clock.now());
  }

  send(data: Uint8Array, to: Endpoint): boolean {
    if (data.length > LONGEST || !this.#mayReach(to)) return false;
    const judgement = this.#peers.judge(to, data, this.#clock.now());
    return judgement === 'send' ? this.#transmit(data, to) : judgement === 'wait';
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#outcome.resolve({ kind: 'disconnected' });
    this.#driver.handle({ type: 'close' });
    this.#datagrams.complete();
  }

  #allocation(): { readonly relayed: Endpoint; readonly mapped: Endpoint } {
    if (this.#addresses === undefined) throw new Error('there is no allocation yet');
    return this.#addresses;
  }

  #mayReach({ family, port }: Endpoint): boolean {
    return !this.#closed && port !== 0 && family === this.#addresses?.relayed.family;
  }

  #transmit(data: Uint8Array, peer: Endpoint): boolean {
    return this.#link.hasRoomFor(data.length) && this.#driver.handle({ type: 'send', peer, data });
  }

  #receive(datagram: Datagram): void {
    if (this.#closed) return;
    this.#peers.heard(datagram.from);
    this.#datagrams.next(datagram);
  }

  #onEvent(event: TurnClientEvent): void {
    switch (event.type) {
      case 'allocated':
        this.#addresses = event;
        this.#outcome.resolve(undefined);
        this.#log('relay.allocated', { ...this.#names(), lifetime: event.lifetime });
        break;
      case 'permitted':
        for (const { to, data } of this.#peers.permitted(event.peer)) this.#transmit(data, to);
        break;
      case 'refused':
        this.#peers.refused(event.peer);
        this.#log('relay.peer-refused', { ...this.#names(), peer: formatEndpoint(event.peer), code: event.code });
        break;
      case 'failed':
        this.#fail(event.failure);
        break;
      case 'ended':
        this.#log('relay.released', this.#names());
    }
  }

  #fail(failure: TurnFailure): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#outcome.resolve(failure);
    const error = relayError(this.relay.name, failure);
    this.#log('relay.failed', { ...this.#names(), code: error.code, message: error.message });
    this.#datagrams.error(error);
  }

  #names(): Record<string, unknown> {
    const relayed = this.#addresses && formatEndpoint(this.#addresses.relayed);
    return { relay: this.relay.name, ...(relayed !== undefined && { relayed }) };
  }
}

/** Bytes of data that fit with a Send indication into one packet of 1500 over IPv6. */
const LONGEST = 1_400;
