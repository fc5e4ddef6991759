import type { Connection, ConnectionError } from '@matrixai/quic/native/types.js';
import { type Observable, Subject } from 'rxjs';
import { Deferred } from '../../../core/deferred.ts';
import { type ErrorCode, TraversalError } from '../../../core/errors.ts';
import type {
  Session,
  SessionDatagrams,
  SessionEnd,
  SessionOptions,
  SessionStats,
  SessionStream,
} from '../../../core/session.ts';
import { CloseCode, checkCode, MAX_CODE } from '../../../protocol/session/codes.ts';
import { isNote } from '../../../protocol/session/control.ts';
import { endError } from '../../../protocol/session/end-error.ts';
import { StreamAcceptor } from '../../../streams/stream-acceptor.ts';
import { isAdmissible, isFirstPacket } from './admissible.ts';
import { ADDRESSES, MAX_PACKET } from './config.ts';
import { PacketPump } from './packet-pump.ts';
import { certifiesKey } from './peer-key.ts';
import { type CloseMessage, StreamTable } from './stream-table.ts';

export interface QuicSessionOptions extends SessionOptions {
  readonly connectionId: Uint8Array;
  /** A fresh quiche connection with that id. */
  readonly open: () => Connection;
}

/**
 * A {@link Session} on one quiche connection.
 *
 * `handshake` -> `open` once the other side proved its key -> `closing` while CLOSE is on its way -> `ended`.
 */
export class QuicSession implements Session {
  readonly role: 'client' | 'server';
  readonly connectionId: Uint8Array;
  readonly established: Promise<void>;
  readonly closed: Promise<SessionEnd>;
  readonly streams$: Observable<SessionStream>;
  readonly datagrams: SessionDatagrams;
  readonly notes$: Observable<Uint8Array>;

  readonly #options: QuicSessionOptions;
  readonly #pump: PacketPump;
  readonly #established = new Deferred<StreamTable>();
  readonly #closed = new Deferred<SessionEnd>();
  readonly #acceptor = new StreamAcceptor();
  readonly #datagrams$ = new Subject<Uint8Array>();
  readonly #notes$ = new Subject<Uint8Array>();
  #state: 'handshake' | 'open' | 'closing' | 'ended' = 'handshake';
  #connection: Connection;
  /** A server's connection is provisional until a packet fitted it. */
  #provisional: boolean;
  /** From `open` on. */
  #table: StreamTable | undefined;
  /** What `close()` was called with. */
  #closing: SessionEnd | undefined;
  #linger: NodeJS.Timeout | undefined;
  #handedIn = 0;
  /** Packets that came in after the end; `undefined` when the other side had the last word. */
  #late: number | undefined;

  constructor(options: QuicSessionOptions) {
    this.#options = options;
    this.role = options.role;
    this.connectionId = options.connectionId;
    this.established = this.#established.promise.then(() => {});
    this.established.catch(() => {});
    this.closed = this.#closed.promise;
    this.streams$ = this.#acceptor.streams$;
    this.datagrams = {
      send: (bytes) => this.#sendDatagram(bytes),
      incoming$: this.#datagrams$.asObservable(),
      maxLength: () => (this.#state === 'open' ? (this.#connection.dgramMaxWritableLen() ?? 0) : 0),
    };
    this.notes$ = this.#notes$.asObservable();
    this.#provisional = options.role === 'server';
    this.#connection = options.open();
    this.#pump = new PacketPump({
      connection: () => this.#connection,
      transmit: options.transmit,
      onTurn: () => this.#turn(),
      onFailure: (error) =>
        this.#violated(error instanceof Error ? `QUIC cannot go on: ${error.message}` : 'QUIC cannot go on'),
    });
    this.#pump.flush();
  }

  receive(packet: Uint8Array): void {
    this.#handedIn++;
    if (this.#state === 'ended') {
      this.#answerLate();
      return;
    }
    if (!isAdmissible(packet)) return;
    if (this.#provisional) this.#receiveFirst(packet);
    else this.#feed(packet);
    // In a handshake each flight waits for the last; afterwards all that comes in within one turn is answered together.
    if (this.#state === 'handshake') this.#pump.turn();
    else this.#pump.schedule();
  }

  /** quiche tells by its count of received packets alone, and that costs 6 us on each side of the 5 us of receiving. */
  authenticate(packet: Uint8Array): boolean {
    const before = this.#connection.stats().recv;
    this.receive(packet);
    return this.#connection.stats().recv > before;
  }

  pathChanged(): void {
    if (this.#state === 'ended') return;
    this.#pump.repeat();
    this.#connection.sendAckEliciting();
    this.#pump.turn();
  }

  isWaiting(): boolean {
    return this.#connection.timeout() !== null;
  }

  async openStream(protocol: string): Promise<SessionStream> {
    const table = await this.#established.promise;
    return table.open(protocol);
  }

  note(bytes: Uint8Array): boolean {
    return this.#state === 'open' && isNote(bytes) && this.#table!.note(bytes);
  }

  stats(): SessionStats {
    const { sent, recv, lost, sentBytes, recvBytes } = this.#connection.stats();
    return {
      sentPackets: sent,
      receivedPackets: recv,
      lostPackets: lost,
      ignoredPackets: Math.max(0, this.#handedIn - recv),
      sentBytes,
      receivedBytes: recvBytes,
      rtt: this.#connection.pathStats()[0]?.rtt ?? 0,
    };
  }

  close(code = 0, reason = ''): void {
    checkCode(code);
    if (this.#state === 'closing' || this.#state === 'ended') return;
    const closing: SessionEnd = { by: 'local', code, reason };
    this.#closing = closing;
    if (this.#table === undefined) {
      this.#abort(closing);
      return;
    }
    this.#state = 'closing';
    this.#table.sendClose(code, reason);
    this.#table.end(endError(closing), false);
    this.#acceptor.complete();
    this.#datagrams$.complete();
    this.#notes$.complete();
    this.#linger = setTimeout(() => this.#abort(closing), LINGER);
  }

  #sendDatagram(bytes: Uint8Array): boolean {
    // Where there is no length at all, quiche throws, even at an empty datagram.
    const maxLength = this.datagrams.maxLength();
    if (maxLength === 0 || bytes.length > maxLength || this.#connection.isDgramSendQueueFull()) return false;
    this.#connection.dgramSendVec(bytes);
    this.#pump.schedule();
    return true;
  }

  /**
   * quiche decrypts in place, hence the copy. What it throws at, it has dropped, or ended the connection for: a turn
   * shows.
   */
  #feed(packet: Uint8Array): void {
    inbox.set(packet);
    try {
      this.#connection.recv(packet.length === MAX_PACKET ? inbox : inbox.subarray(0, packet.length), ADDRESSES);
    } catch {
      // counted: `stats()` compares what was handed in with what quiche took
    }
  }

  /**
   * quiche ends a server's connection at a first packet of no use, and ties its keys to it: until one fits, each gets a
   * new one.
   */
  #receiveFirst(packet: Uint8Array): void {
    if (!isFirstPacket(packet)) return;
    this.#feed(packet);
    this.#provisional = this.#connection.stats().recv === 0;
    if (this.#provisional) this.#connection = this.#options.open();
  }

  #turn(): void {
    if (this.#state === 'handshake' && this.#connection.isEstablished()) this.#verify();
    if (this.#table !== undefined && this.#state !== 'ended') this.#serve(this.#table);
    if (this.#state !== 'ended' && isOver(this.#connection)) this.#lost();
  }

  /** Nothing of the other side is surfaced before its key has been compared. */
  #verify(): void {
    const { expectedKey, role } = this.#options;
    // A client's close goes unheard by that server, for it comes in place of the last flight, which would show who we
    // are.
    if (this.#connection.isResumed() || !certifiesKey(this.#connection.peerCertChain()?.[0], expectedKey)) {
      this.#abort({ by: 'local', code: CloseCode.PEER_KEY, reason: 'unexpected key' }, 'ERR_PEER_KEY');
      return;
    }
    try {
      this.#table = new StreamTable({
        connection: this.#connection,
        role,
        wake: () => this.#pump.schedule(),
        accept: (stream) => this.#acceptor.offer(stream),
        onNote: (bytes) => this.#notes$.next(bytes),
      });
    } catch (error) {
      if (!(error instanceof TraversalError)) throw error;
      this.#violated(error.message);
      return;
    }
    this.#state = 'open';
    this.#established.resolve(this.#table);
  }

  #serve(table: StreamTable): void {
    let close: CloseMessage | undefined;
    try {
      close = table.turn();
    } catch (error) {
      if (!(error instanceof TraversalError)) throw error;
      this.#violated(error.message);
      return;
    }
    for (let data = this.#connection.dgramRecvVec(); data !== null; data = this.#connection.dgramRecvVec()) {
      this.#datagrams$.next(data);
    }
    if (close !== undefined) this.#abort(this.#closing ?? { by: 'remote', code: close.code, reason: close.reason });
  }

  /** The other side broke a rule, which is its error and none of ours: the session ends, and nothing is thrown. */
  #violated(reason: string): void {
    if (this.#state === 'ended') return;
    const end: SessionEnd = { by: 'local', code: CloseCode.PROTOCOL, reason };
    this.#abort(end, this.#state === 'handshake' ? 'ERR_SESSION_HANDSHAKE' : 'ERR_CLOSED');
  }

  /** Sends CONNECTION_CLOSE and ends. */
  #abort(end: SessionEnd, code: ErrorCode = 'ERR_CLOSED'): void {
    this.#late = 0;
    this.#connection.close(true, end.code, Buffer.from(end.reason).subarray(0, 255));
    this.#end(end, code);
  }

  /** The connection has ended below us: the other side's CONNECTION_CLOSE, or an error that quiche found. */
  #lost(): void {
    const peerError = this.#connection.peerError();
    if (peerError === null) this.#late = 0;
    const error = peerError ?? this.#connection.localError();
    const by = peerError === null ? 'local' : 'remote';
    this.#end(
      this.#closing ?? (error === null ? SILENT_END : { by, ...describe(error) }),
      this.#state === 'handshake' ? 'ERR_SESSION_HANDSHAKE' : 'ERR_CLOSED',
    );
  }

  #end(end: SessionEnd, code: ErrorCode): void {
    const error = endError(end, code);
    this.#state = 'ended';
    clearTimeout(this.#linger);
    this.#pump.flush();
    this.#pump.stop();
    this.#established.reject(error);
    this.#table?.end(error, end.by === 'remote');
    this.#acceptor.complete();
    this.#datagrams$.complete();
    this.#notes$.complete();
    this.#closed.resolve(end);
  }

  /** The other side has missed the last packet: again, ever more rarely (RFC 9000 section 10.2.1). */
  #answerLate(): void {
    if (this.#late === undefined) return;
    this.#late++;
    if (Number.isInteger(Math.log2(this.#late))) this.#pump.repeat(1);
  }
}

/** An error of our own shows before quiche has sent its CONNECTION_CLOSE, the other side's by draining. */
function isOver(connection: Connection): boolean {
  return connection.isDraining() || connection.isClosed() || connection.localError() !== null;
}

function describe({ isApp, errorCode, reason }: ConnectionError): Pick<SessionEnd, 'code' | 'reason'> {
  const text = Buffer.from(reason).toString();
  const code = Math.min(errorCode, MAX_CODE);
  return { code, reason: isApp ? text : `QUIC error 0x${errorCode.toString(16)} ${text}`.trim() };
}

/**
 * What quiche ends a connection for without an error (RFC 9000 sections 10.1 and 10.3). Neither has a place here: we
 * set no idle timeout, but the shorter of both sides' counts.
 */
const SILENT_END: SessionEnd = {
  by: 'local',
  code: CloseCode.PROTOCOL,
  reason: 'the other side set an idle timeout, or sent a stateless reset',
};
/** ms that `close()` waits for the other side's answer. */
const LINGER = 1000;
const inbox = new Uint8Array(MAX_PACKET);
