/** A small deterministic world: virtual time, counted chance, one socket, and STUN servers behind a NAT of any behaviour. */
import { Subject } from 'rxjs';
import type { Clock } from '../../../src/core/clock.ts';
import type { Datagram } from '../../../src/core/datagram.ts';
import { type Endpoint, endpoint, formatEndpoint } from '../../../src/core/endpoint.ts';
import type { Dependence } from '../../../src/core/nat-behavior.ts';
import type { DatagramSocket } from '../../../src/core/network.ts';
import type { Random } from '../../../src/core/random.ts';
import { createStunServer, type StunServerAddresses } from '../../../src/protocol/stun/index.ts';

export interface TestClock extends Clock {
  /** Runs all timers that are due within `ms`, in order. */
  advance(ms: number): void;
  readonly pending: number;
}

export function testClock(): TestClock {
  let now = 0;
  let nextId = 0;
  const timers = new Map<number, { at: number; callback: () => void }>();
  const clearTimer = (id: number): void => {
    timers.delete(id);
  };
  return {
    now: () => now,
    wallTime: () => now,
    setTimeout(callback, delay) {
      timers.set(nextId, { at: now + delay, callback });
      return nextId++;
    },
    clearTimeout: clearTimer,
    advance(ms) {
      const until = now + ms;
      for (;;) {
        const [due] = [...timers].filter(([, { at }]) => at <= until).sort(([, a], [, b]) => a.at - b.at);
        if (due === undefined) break;
        const [id, { at, callback }] = due;
        timers.delete(id);
        now = at;
        callback();
      }
      now = until;
    },
    get pending() {
      return timers.size;
    },
  };
}

/** Bytes that count up from 1: never the same 12 twice in a test. */
export function testRandom(): Random {
  let count = 0;
  return {
    bytes(length) {
      count++;
      return Uint8Array.from({ length }, (_, i) => (i === 0 ? count : i));
    },
  };
}

export interface TestSocket extends DatagramSocket {
  readonly sent: readonly { readonly data: Uint8Array; readonly to: Endpoint }[];
  readonly isClosed: boolean;
  receive(data: Uint8Array, from: Endpoint): void;
  break(error: Error): void;
}

export function testSocket(local: Endpoint, onSend: (data: Uint8Array, to: Endpoint) => void = () => {}): TestSocket {
  const datagrams = new Subject<Datagram>();
  const sent: { data: Uint8Array; to: Endpoint }[] = [];
  let isClosed = false;
  return {
    local,
    datagrams$: datagrams,
    sent,
    get isClosed() {
      return isClosed;
    },
    send(data, to) {
      sent.push({ data, to });
      onSend(data, to);
      return true;
    },
    receive: (data, from) => datagrams.next({ data, from }),
    break: (error) => datagrams.error(error),
    close() {
      isClosed = true;
      datagrams.complete();
    },
  };
}

export interface NatOptions {
  readonly mapping: Dependence;
  readonly filtering: Dependence;
  /** STUN servers by what they are told of themselves: one endpoint, or two for behaviour discovery. */
  readonly servers: readonly (Endpoint | StunServerAddresses)[];
  /** One way, in ms. */
  readonly latency?: number;
  /** Endpoints from which nothing ever comes. */
  readonly dead?: readonly Endpoint[];
}

/** A socket at 192.168.1.2:5000 behind a NAT at 203.0.113.7. */
export function socketBehindNat(clock: TestClock, options: NatOptions): TestSocket {
  const { mapping, filtering, servers, latency = 20, dead = [] } = options;
  const mappings = new Map<string, Endpoint>();
  const contacted = new Set<string>();
  const keyOf = (dependence: Dependence, remote: Endpoint): string => {
    if (dependence === 'endpoint-independent') return 'any';
    return dependence === 'address-dependent' ? remote.address : formatEndpoint(remote);
  };
  const engines = new Map(
    servers.flatMap((server) => {
      const isPair = 'primary' in server;
      const engine = createStunServer(isPair ? { addresses: server } : {});
      return (isPair ? combinations(server) : [server]).map((at) => [formatEndpoint(at), engine] as const);
    }),
  );

  const socket = testSocket(endpoint('192.168.1.2', 5000), (data, to) => {
    const key = keyOf(mapping, to);
    const external = mappings.get(key) ?? endpoint('203.0.113.7', 40000 + 7 * mappings.size);
    mappings.set(key, external);
    contacted.add(keyOf(filtering, to));
    clock.setTimeout(() => {
      const answer = engines.get(formatEndpoint(to))?.handle({ data, from: external }, to, clock.now());
      if (answer === undefined || dead.some((at) => formatEndpoint(at) === formatEndpoint(answer.from))) return;
      if (!contacted.has(keyOf(filtering, answer.from))) return;
      clock.setTimeout(() => socket.receive(answer.reply, answer.from), latency);
    }, latency);
  });
  return socket;
}

function combinations({ primary, alternate }: StunServerAddresses): Endpoint[] {
  return [primary, alternate].flatMap(({ address }) => [primary, alternate].map(({ port }) => endpoint(address, port)));
}
