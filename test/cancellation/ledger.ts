import { Observable } from 'rxjs';
import type { Clock, TimerHandle } from '../../src/core/clock.ts';
import type { Environment } from '../../src/core/environment.ts';
import type { ByteListener, ByteSocket, DatagramSocket, Network } from '../../src/core/network.ts';
import type { Path } from '../../src/core/path.ts';
import type { SessionFactory } from '../../src/core/session.ts';
import type { Signaling } from '../../src/core/signaling.ts';

/** Everything that was taken from an environment and not given back. */
export interface Ledger {
  readonly env: Environment;
  /** One line a kind, such as `2 timers`, in the order of the alphabet; none when nothing is held. */
  held(): readonly string[];
}

type Kind =
  | 'carriers'
  | 'lookups'
  | 'relay paths'
  | 'session factories'
  | 'sessions'
  | 'subscriptions'
  | 'TCP connections'
  | 'TCP listeners'
  | 'timers'
  | 'UDP sockets';

/** Notes that one more is held; the function that it gives notes its end, the first time it is called. */
type Take = (kind: Kind) => () => void;

/** The same environment, and a count of what its user holds of it. */
export function keepLedger(env: Environment): Ledger {
  const counts = new Map<Kind, number>();
  const add = (kind: Kind, change: number): void => void counts.set(kind, (counts.get(kind) ?? 0) + change);
  const take: Take = (kind) => {
    add(kind, 1);
    let held = true;
    return () => {
      if (held) add(kind, -1);
      held = false;
    };
  };
  return {
    env: {
      ...env,
      clock: countedClock(env.clock, take),
      network: countedNetwork(env.network, take),
      signaling: (url) => countedSignaling(env.signaling(url), take),
      sessions: async (identity) => countedSessions(await env.sessions(identity), take),
    },
    held: () =>
      [...counts]
        .filter(([, count]) => count !== 0)
        .map(([kind, count]) => `${count} ${kind}`)
        .sort((a, b) => a.slice(a.indexOf(' ')).localeCompare(b.slice(b.indexOf(' ')))),
  };
}

function countedClock(clock: Clock, take: Take): Clock {
  const timers = new Map<TimerHandle, () => void>();
  return {
    ...clock,
    setTimeout(callback, delay) {
      const release = take('timers');
      const timer = clock.setTimeout(() => {
        release();
        timers.delete(timer);
        callback();
      }, delay);
      timers.set(timer, release);
      return timer;
    },
    clearTimeout(timer) {
      timers.get(timer)?.();
      timers.delete(timer);
      clock.clearTimeout(timer);
    },
  };
}

function countedNetwork(network: Network, take: Take): Network {
  return {
    ...network,
    async resolve(host, options) {
      const release = take('lookups');
      return network.resolve(host, options).finally(release);
    },
    udp: async (options) => countedUdp(await network.udp(options), take),
    connect: async (options) => countedTcp(await network.connect(options), take),
    listen: async (options) => countedListener(await network.listen(options), take),
  };
}

function countedUdp(socket: DatagramSocket, take: Take): DatagramSocket {
  const release = take('UDP sockets');
  return {
    local: socket.local,
    datagrams$: observed(socket.datagrams$, take),
    send: (data, to) => socket.send(data, to),
    close() {
      release();
      socket.close();
    },
  };
}

function countedTcp(socket: ByteSocket, take: Take): ByteSocket {
  socket.closed.then(take('TCP connections'));
  return socket;
}

function countedListener(listener: ByteListener, take: Take): ByteListener {
  const release = take('TCP listeners');
  return {
    local: listener.local,
    connections$: observed(listener.connections$, take),
    close() {
      release();
      return listener.close();
    },
  };
}

function countedSignaling(signaling: Signaling, take: Take): Signaling {
  const release = take('carriers');
  const paths = new WeakMap<Path, Path>();
  const counted = (path: Path): Path => {
    const known = paths.get(path);
    if (known !== undefined) return known;
    path.datagrams$.subscribe({ complete: take('relay paths') });
    const made = { ...path, datagrams$: observed(path.datagrams$, take) };
    paths.set(path, made);
    return made;
  };
  return {
    ...signaling,
    status$: observed(signaling.status$, take),
    events$: observed(signaling.events$, take),
    relay(session) {
      const path = signaling.relay(session);
      return path && counted(path);
    },
    close() {
      release();
      signaling.close();
    },
  };
}

function countedSessions(factory: SessionFactory, take: Take): SessionFactory {
  const release = take('session factories');
  return {
    create(options) {
      const session = factory.create(options);
      session.closed.then(take('sessions'));
      return session;
    },
    close() {
      release();
      factory.close();
    },
  };
}

function observed<T>(source: Observable<T>, take: Take): Observable<T> {
  return new Observable((subscriber) => {
    subscriber.add(take('subscriptions'));
    subscriber.add(source.subscribe(subscriber));
  });
}
