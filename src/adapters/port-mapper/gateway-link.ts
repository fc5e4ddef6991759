import type { Clock, TimerHandle } from '../../core/clock.ts';
import type { Datagram } from '../../core/datagram.ts';
import { type Endpoint, formatEndpoint, sameEndpoint } from '../../core/endpoint.ts';
import { asTraversalError, TraversalError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { DatagramSocket } from '../../core/network.ts';
import type { GatewayClient, GatewayEvent } from '../../protocol/gateway-client.ts';
import { aborted } from './calls.ts';

/** A gateway and the sockets towards it: joins the client's engine to the network and the clock. */
export interface GatewayLink<Request, Response> {
  readonly server: Endpoint;
  /**
   * What the gateway answers, which may be an error of its own. Errors: `ERR_MAPPING_UNAVAILABLE` from a gateway that never spoke,
   * `ERR_TIMEOUT` from one that did, `ERR_ABORTED`, `ERR_CLOSED`, `ERR_NETWORK`.
   */
  ask(request: Request, options: { timeout: number; signal: AbortSignal | undefined }): Promise<Response>;
  /** Sends a request once and awaits nothing. */
  tell(request: Request): void;
  /** Idempotent. */
  close(): void;
}

export interface GatewayLinkOptions<Request, Response> {
  readonly server: Endpoint;
  /** The protocol's name, for messages. */
  readonly name: string;
  /** The link owns it. */
  readonly socket: DatagramSocket;
  /** Where the gateway announces itself to all hosts; the link owns it. Absent: restarts are noticed by answers only. */
  readonly announcements: DatagramSocket | undefined;
  readonly client: GatewayClient<Request, Response>;
  readonly encode: (request: Request) => Uint8Array;
  readonly clock: Clock;
  readonly log: Log;
  readonly onRestart: () => void;
  /** The link has ended, by `close` or since its socket broke; called once. */
  readonly onEnd: () => void;
}

export function createGatewayLink<Request, Response>(
  options: GatewayLinkOptions<Request, Response>,
): GatewayLink<Request, Response> {
  const { server, name, socket, announcements, client, encode, clock, log, onRestart, onEnd } = options;
  const questions = new Map<number, Question<Response>>();
  let nextId = 0;
  let timer: TimerHandle | undefined;
  let end: TraversalError | undefined;

  /** Carries out what the engine asks for, until it waits. */
  function drain(): void {
    clock.clearTimeout(timer);
    for (;;) {
      const output = client.poll(clock.now());
      if (output.type === 'wait') {
        if (output.until !== undefined) timer = clock.setTimeout(drain, Math.max(0, output.until - clock.now()));
        return;
      }
      if (output.type === 'transmit') socket.send(output.bytes, output.to);
      else report(output.event);
    }
  }

  function report(event: GatewayEvent<Response>): void {
    if (event.type === 'restarted') {
      log('port-mapper.restarted', { name, gateway: server.address, reason: event.reason });
      onRestart();
    } else if (event.type === 'answered') {
      take(event.id)?.resolve(event.response);
    } else {
      log('port-mapper.unanswered', { name, gateway: server.address, sends: event.sends, dropped: client.dropped });
      take(event.id)?.reject(silence(event.sends));
    }
  }

  function take(id: number): Question<Response> | undefined {
    const question = questions.get(id);
    questions.delete(id);
    question?.settled();
    return question;
  }

  function silence(sends: number): TraversalError {
    const code = client.heard ? 'ERR_TIMEOUT' : 'ERR_MAPPING_UNAVAILABLE';
    return new TraversalError(code, `${name} at ${formatEndpoint(server)}: no answer to ${sends} requests`);
  }

  function finish(error: TraversalError): void {
    if (end !== undefined) return;
    end = error;
    clock.clearTimeout(timer);
    socket.close();
    announcements?.close();
    onEnd();
    for (const id of [...questions.keys()]) take(id)?.reject(error);
  }

  const closed = (): TraversalError => new TraversalError('ERR_CLOSED', `${name}: the port mapper is closed`);
  const receive = ({ data, from }: Datagram): void => {
    if (end !== undefined) return;
    client.handle({ type: 'datagram', data, from }, clock.now());
    drain();
  };
  socket.datagrams$.subscribe({
    next: receive,
    error: (error: unknown) => finish(asTraversalError(error, 'ERR_NETWORK')),
  });
  announcements?.datagrams$.subscribe({
    next: (datagram) => {
      // The port is shared: whoever may bind it hears what the others there hear.
      if (sameEndpoint(datagram.from, server)) receive(datagram);
    },
    error: (error: unknown) => log('port-mapper.deaf', { name, gateway: server.address, error: String(error) }),
  });

  return {
    server,
    ask(request, { timeout, signal }) {
      if (end !== undefined) return Promise.reject(end);
      if (signal?.aborted) return Promise.reject(aborted(name, signal));
      return new Promise<Response>((resolve, reject) => {
        const id = nextId++;
        const onAbort = (): void => {
          client.handle({ type: 'cancel', id }, clock.now());
          take(id)?.reject(aborted(name, signal));
          drain();
        };
        const settled = (): void => signal?.removeEventListener('abort', onAbort);
        questions.set(id, { resolve, reject, settled });
        signal?.addEventListener('abort', onAbort, { once: true });
        client.handle({ type: 'request', id, request, timeout }, clock.now());
        drain();
      });
    },
    tell(request) {
      if (end === undefined) socket.send(encode(request), server);
    },
    close: () => finish(closed()),
  };
}

interface Question<Response> {
  resolve(response: Response): void;
  reject(error: TraversalError): void;
  /** Called once before either, to let go of the signal. */
  settled(): void;
}
