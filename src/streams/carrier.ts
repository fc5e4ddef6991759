import { BehaviorSubject, Subject } from 'rxjs';
import { DecodeError, type ErrorCode } from '../core/errors.ts';
import { toHex } from '../core/hex.ts';
import type { Log } from '../core/log.ts';
import type { Path, PathTransport } from '../core/path.ts';
import type { Random } from '../core/random.ts';
import type { Signaling, SignalingEvent, SignalingStatus } from '../core/signaling.ts';
import { createRendezvousClient, encodeRelayFrame, type Registering } from '../protocol/rendezvous/index.ts';
import { createRelayPath, type RelayPath } from './relay-path.ts';

/** A standing connection to a rendezvous server: an ordered, reliable carrier of frames. */
export interface CarrierLink {
  send(frame: string | Uint8Array): void;
  /** Sends an offer or a lookup, where these go another way than the rest. */
  request?(frame: string): void;
  /** Bytes given to `send` that have not left this process yet. */
  queued(): number;
}

/** What signalling over any connection has in common. The adapter makes the connection and tells what becomes of it. */
export interface Carrier {
  readonly signaling: Signaling;
  connecting(attempt: number): void;
  /** The connection stands; the server has not spoken yet. */
  opened(link: CarrierLink): void;
  /**
   * A frame of the server; true when it was its hello, from which on the carrier is online. Frames that make no sense
   * are dropped and logged. Throws `ERR_VERSION` for a server that cannot be talked to.
   */
  receive(frame: string | Uint8Array): boolean;
  /** There is no connection; `retryIn` in ms, `undefined` when there will be none any more. */
  offline(failure: { readonly code: ErrorCode; readonly reason: string; readonly retryIn: number | undefined }): void;
}

export interface CarrierOptions {
  /** As in `Signaling.name`. */
  readonly name: string;
  /** Host that the server was dialled by: its STUN services without a host of their own are there. */
  readonly host: string;
  /** The same with the port, as `parseServerName` writes it: what registrations are signed for. */
  readonly server: string;
  /** Of its relayed paths; `websocket` by default. */
  readonly transport?: PathTransport;
  readonly random: Random;
  readonly log: Log;
  /** Ends the connection; called once, on `close` of the signalling. */
  readonly disconnect: () => void;
}

export function createCarrier(options: CarrierOptions): Carrier {
  const { name, host, server, transport = 'websocket', random, log, disconnect } = options;
  const client = createRendezvousClient({ random, server });
  const status = new BehaviorSubject<SignalingStatus>({ state: 'connecting', attempt: 1 });
  const events = new Subject<SignalingEvent>();
  const paths = new Map<string, RelayPath>();
  let link: CarrierLink | undefined;
  let longestDatagram = 0;
  let closed = false;

  function sendAll(frames: readonly string[]): void {
    for (const frame of frames) link?.send(frame);
  }

  function requestAll(frames: readonly string[]): void {
    for (const frame of frames) {
      if (link?.request === undefined) link?.send(frame);
      else link.request(frame);
    }
  }

  function register({ frames, refusal }: Registering): void {
    sendAll(frames);
    if (refusal !== undefined) events.next(refusal);
  }

  function loseLink(): void {
    link = undefined;
    longestDatagram = 0;
    client.closed();
    for (const path of [...paths.values()]) path.end();
  }

  function relay(session: Uint8Array): Path | undefined {
    if (longestDatagram === 0) return undefined;
    const key = toHex(session);
    const path = paths.get(key) ?? openPath(session, key);
    return path.path;
  }

  function openPath(session: Uint8Array, key: string): RelayPath {
    const path = createRelayPath({
      info: {
        id: `relay ${key.slice(0, 8)} ${name}`,
        kind: 'relayed',
        transport,
        local: name,
        remote: name,
        strategy: 'relay',
      },
      transmit: (datagram) => transmit(session, datagram),
      onEnd: () => paths.delete(key),
    });
    paths.set(key, path);
    return path;
  }

  /** QUIC above takes a drop for congestion and slows down; a queue would hide it until the memory is full. */
  function transmit(session: Uint8Array, datagram: Uint8Array): boolean {
    if (link === undefined || datagram.length > longestDatagram || link.queued() > MAX_QUEUED) return false;
    link.send(encodeRelayFrame(session, datagram));
    return true;
  }

  function dispatch(event: SignalingEvent): void {
    if (event.type === 'unreachable') paths.get(toHex(event.session))?.end();
    events.next(event);
  }

  return {
    signaling: {
      name,
      status$: status.asObservable(),
      events$: events.asObservable(),
      register: (registration) => register(client.register(registration)),
      lookup: (request) => requestAll(client.lookup(request)),
      offer: (offer) => requestAll(client.offer(offer)),
      send(session, envelope) {
        const frame = client.send(session, envelope);
        if (frame === undefined) return false;
        sendAll([frame]);
        return true;
      },
      relay,
      leave(session) {
        paths.get(toHex(session))?.end();
        sendAll(client.leave(session));
      },
      close() {
        if (closed) return;
        closed = true;
        disconnect();
        loseLink();
        status.complete();
        events.complete();
      },
    },
    connecting: (attempt) => status.next({ state: 'connecting', attempt }),
    opened(next) {
      link = next;
      requestAll(client.opened());
    },
    receive(frame) {
      try {
        const received = client.receive(frame);
        if (received.type === 'datagram') paths.get(toHex(received.session))?.deliver(received.datagram);
        else if (received.type === 'event') dispatch(received.event);
        else if (received.type === 'hello') {
          const { relay: relays, limits, stun } = received.hello;
          longestDatagram = relays ? limits.datagram : 0;
          register(received.registering);
          status.next({ state: 'online', stun: stun.map((at) => (at.startsWith(':') ? host + at : at)), relays });
          return true;
        }
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        log('signaling.frame-dropped', { carrier: name, where: error.where });
      }
      return false;
    },
    offline(failure) {
      loseLink();
      status.next({ state: 'offline', ...failure });
    },
  };
}

/** Bytes: a relayed datagram is dropped rather than queued behind more than this (50 ms at 10 Mbit/s). */
const MAX_QUEUED = 64 * 1024;
