import { BehaviorSubject, Subject } from 'rxjs';
import type { Clock, TimerHandle } from '../../core/clock.ts';
import { toHex } from '../../core/hex.ts';
import { type Log, silentLog } from '../../core/log.ts';
import type { Random } from '../../core/random.ts';
import type { Registration, Signaling, SignalingEvent, SignalingStatus } from '../../core/signaling.ts';
import { checkNatsUrl, type NatsAccess } from './nats-access.ts';
import { createNatsHolding } from './nats-holding.ts';
import { createNatsHost } from './nats-host.ts';
import { createNatsLink, type NatsLink } from './nats-link.ts';
import { createNatsWire } from './nats-wire.ts';

export interface NatsSignalingOptions extends NatsAccess {
  /** `nats://host:4222`, or `tls://..` where the connection must be encrypted. */
  readonly url: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log?: Log;
}

/**
 * Signalling through NATS servers (https://nats.io), without any server of ours: who listens subscribes to the subject
 * of its key and serves its dialers itself. Connects at once and, until closed, again after every loss, to whichever
 * server of the cluster is there. Needs the optional package `@nats-io/transport-node`. Offline codes:
 * `ERR_SERVER_UNREACHABLE`, and for good `ERR_TOKEN` (not let in),
 * `ERR_NOT_AVAILABLE` (no such package). Throws `ERR_USAGE` for what is no such URL.
 */
export function natsSignaling(options: NatsSignalingOptions): Signaling {
  const { url: name, clock, random, log = silentLog } = options;
  checkNatsUrl(name);
  const status = new BehaviorSubject<SignalingStatus>({ state: 'connecting', attempt: 1 });
  const events = new Subject<SignalingEvent>();
  /** By key, those that are dialled. */
  const links = new Map<string, NatsLink>();
  const bySession = new Map<string, NatsLink>();
  let registration: Registration | undefined;
  let online = false;
  let closed = false;

  const wire = createNatsWire({
    ...options,
    log,
    on: {
      connecting: (attempt) => status.next({ state: 'connecting', attempt }),
      online() {
        online = true;
        for (const end of [host, ...links.values()]) end.online();
        status.next({ state: 'online', stun: [], relays: true });
      },
      offline(failure) {
        online = false;
        holding.release();
        for (const end of [host, ...links.values()]) end.offline(failure);
        status.next({ state: 'offline', ...failure });
      },
      refused(subject, message) {
        if (holding.refuse(subject)) events.next({ type: 'error', code: 'ERR_SERVER_REFUSED', message });
        else for (const link of links.values()) if (link.refuse(subject, message)) return;
      },
    },
  });

  const host = createNatsHost({ name, wire, clock, random, log });
  const holding = createNatsHolding({
    wire,
    clock,
    random,
    log,
    receive: host.receive,
    held: () => events.next({ type: 'registered' }),
    replaced: host.replace,
  });

  host.signaling.events$.subscribe((event) => {
    if (event.type === 'replaced') registration = undefined;
    // The engine has seen that the key signs; what counts is what others see.
    if (event.type !== 'registered') events.next(event);
    else if (registration !== undefined) holding.hold(registration);
  });

  /** A session belongs to the link on which it was dialled; any other is for the listener's end to know. */
  const endOf = (session: Uint8Array): Pick<Signaling, 'send' | 'relay'> =>
    bySession.get(toHex(session)) ?? host.signaling;

  function linkTo(key: Uint8Array, session: Uint8Array): NatsLink {
    const known = links.get(toHex(key));
    const link = known ?? createNatsLink({ key, name, wire, random, log, hello: host.hello });
    bySession.set(toHex(session), link);
    if (known !== undefined) return known;
    links.set(toHex(key), link);
    link.events$.subscribe((event) => events.next(event));
    if (online) link.online();
    return link;
  }

  function unlink(link: NatsLink): void {
    for (const [key, each] of links) if (each === link) links.delete(key);
    link.close();
  }

  const isOwn = (key: Uint8Array): boolean => registration !== undefined && toHex(registration.key) === toHex(key);

  let heartbeat: TimerHandle;
  function beat(): void {
    heartbeat = clock.setTimeout(() => {
      for (const link of links.values()) link.ping();
      host.sweep();
      beat();
    }, HEARTBEAT);
  }
  beat();

  return {
    name,
    status$: status.asObservable(),
    events$: events.asObservable(),
    register(next) {
      registration = next;
      host.signaling.register(next);
    },
    lookup(request) {
      if (!online) return;
      if (isOwn(request.key)) host.signaling.lookup(request);
      else linkTo(request.key, request.session).lookup(request);
    },
    offer(offer) {
      if (isOwn(offer.to)) host.signaling.offer(offer);
      else linkTo(offer.to, offer.session).offer(offer);
    },
    send: (session, envelope) => online && endOf(session).send(session, envelope),
    relay: (session) => (online ? endOf(session).relay(session) : undefined),
    leave(session) {
      const link = bySession.get(toHex(session));
      if (link === undefined) return host.signaling.leave(session);
      bySession.delete(toHex(session));
      link.leave(session);
      if (link.isIdle) unlink(link);
    },
    close() {
      if (closed) return;
      closed = true;
      clock.clearTimeout(heartbeat);
      holding.close();
      for (const link of links.values()) link.close();
      // Whoever still asks is told that nobody is here any more.
      host.close();
      online = false;
      wire.close();
      status.complete();
      events.complete();
    },
  };
}

/** ms between two signs of life. */
const HEARTBEAT = 30_000;
