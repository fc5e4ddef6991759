import { take } from 'rxjs';
import type { Clock, TimerHandle } from '../core/clock.ts';
import type { Endpoint } from '../core/endpoint.ts';
import { DecodeError } from '../core/errors.ts';
import type { ByteListener, ByteSocket } from '../core/network.ts';
import { sourceNetwork } from '../core/source-network.ts';
import { isStunMessage, type StunMessage } from '../protocol/stun/index.ts';
import { requestedUfrag, tryDecodeStun } from './demultiplex.ts';
import { createFramedSocket, type FramedSocket } from './framed-socket.ts';
import type { Unregister } from './packet-router.ts';

/** A connection whose first datagram was a STUN request. It belongs to the handler, which is to close it. */
export interface Caller {
  readonly socket: FramedSocket;
  readonly request: StunMessage;
  /** Of the listener that accepted it. */
  readonly base: Endpoint;
}

/**
 * Where TCP connections wait until they have said which ICE agent they are for: the peer's listeners, shared by all its
 * connections. Nothing is ever said to a connection here. One that has not named a known username fragment in its first
 * datagram within 5 s is closed, and so is the one that has waited longest when there are too many.
 */
export interface TcpLobby {
  /** The addresses listened on, one a family at most; `0.0.0.0` or `::` when bound to all. */
  readonly bases: readonly Endpoint[];
  /** Connections to the agent with this username fragment; registering it again replaces the handler. */
  onCaller(ufrag: string, handler: (caller: Caller) => void): Unregister;
  readonly counters: Readonly<LobbyCounters>;
  /** Stops listening and closes the connections that wait; those that were handed over live on. */
  close(): void;
}

/** Connections since the start. Each accepted one that waits no more is counted once. */
export interface LobbyCounters {
  /** Handed to an agent. */
  claimed: number;
  /** Named no agent that there is. */
  unclaimed: number;
  /** Their first datagram was no STUN request, or no frame. */
  malformed: number;
  /** Ended, or said nothing in time. */
  silent: number;
  /** One too many from its network, or gave way to others. */
  crowded: number;
}

/** Connections that wait: from everywhere, and from one source network, an IPv4 /24 or an IPv6 /64. */
const MAX_WAITING = { total: 64, network: 8 };
/** ms until the first request must be there. */
const PATIENCE = 5000;

/** The listeners belong to the lobby from now on. */
export function createTcpLobby(listeners: readonly ByteListener[], clock: Clock): TcpLobby {
  const handlers = new Map<string, (caller: Caller) => void>();
  /** The longest waiting first. */
  const waiting = new Set<Guest>();
  const counters: LobbyCounters = { claimed: 0, unclaimed: 0, malformed: 0, silent: 0, crowded: 0 };

  const admit = (accepted: ByteSocket, base: Endpoint): void => {
    const network = sourceNetwork(accepted.remote.address, 24);
    const neighbours = [...waiting].filter((guest) => guest.network === network);
    if (neighbours.length >= MAX_WAITING.network) {
      counters.crowded++;
      accepted.destroy();
      return;
    }
    const [oldest] = waiting;
    if (oldest !== undefined && waiting.size >= MAX_WAITING.total) dismiss(oldest, 'crowded');
    const socket = createFramedSocket(accepted);
    const guest: Guest = { socket, network, timer: clock.setTimeout(() => dismiss(guest, 'silent'), PATIENCE) };
    waiting.add(guest);
    socket.datagrams$.pipe(take(1)).subscribe({
      next: (datagram) => identify(guest, datagram, base),
      error: (error) => dismiss(guest, error instanceof DecodeError ? 'malformed' : 'silent'),
      complete: () => dismiss(guest, 'silent'),
    });
  };

  const identify = (guest: Guest, datagram: Uint8Array, base: Endpoint): void => {
    const request = isStunMessage(datagram) ? tryDecodeStun(datagram) : undefined;
    const handler = request && handlers.get(requestedUfrag(request));
    if (request?.class !== 'request') {
      dismiss(guest, 'malformed');
    } else if (handler === undefined) {
      dismiss(guest, 'unclaimed');
    } else {
      forget(guest, 'claimed');
      handler({ socket: guest.socket, request, base });
    }
  };

  const dismiss = (guest: Guest, reason: keyof LobbyCounters): void => {
    if (!waiting.has(guest)) return;
    forget(guest, reason);
    guest.socket.close();
  };

  const forget = (guest: Guest, reason: keyof LobbyCounters): void => {
    waiting.delete(guest);
    clock.clearTimeout(guest.timer);
    counters[reason]++;
  };

  for (const { connections$, local } of listeners) connections$.subscribe((accepted) => admit(accepted, local));

  return {
    bases: listeners.map(({ local }) => local),
    counters,
    onCaller(ufrag, handler) {
      handlers.set(ufrag, handler);
      return () => {
        if (handlers.get(ufrag) === handler) handlers.delete(ufrag);
      };
    },
    close() {
      for (const listener of listeners) void listener.close();
      for (const guest of [...waiting]) dismiss(guest, 'silent');
      handlers.clear();
    },
  };
}

interface Guest {
  readonly socket: FramedSocket;
  readonly network: string;
  readonly timer: TimerHandle;
}
