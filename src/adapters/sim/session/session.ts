import { type Observable, Subject } from 'rxjs';
import type { Clock } from '../../../core/clock.ts';
import { Deferred } from '../../../core/deferred.ts';
import { type ErrorCode, TraversalError } from '../../../core/errors.ts';
import type { Identity } from '../../../core/identity.ts';
import type { Random } from '../../../core/random.ts';
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
import { Connection, type Reception } from './connection.ts';
import { DatagramQueue, MAX_DATAGRAM } from './datagram-queue.ts';
import { earlier } from './earlier.ts';
import type { Frame } from './frames.ts';
import { SessionTimer } from './session-timer.ts';
import { StreamTable } from './stream-table.ts';

export interface SimSessionOptions extends SessionOptions {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * A {@link Session} in the time of a clock.
 *
 * `handshake` -> `open` once the other side proved its key -> `closing` while CLOSE is on its way -> `ended`.
 */
export class SimSession implements Session {
  readonly role: 'client' | 'server';
  readonly established: Promise<void>;
  readonly closed: Promise<SessionEnd>;
  readonly streams$: Observable<SessionStream>;
  readonly datagrams: SessionDatagrams;
  readonly notes$: Observable<Uint8Array>;

  readonly #clock: Clock;
  readonly #transmit: (packet: Uint8Array) => void;
  readonly #timer: SessionTimer;
  readonly #established = new Deferred();
  readonly #closed = new Deferred<SessionEnd>();
  readonly #acceptor = new StreamAcceptor();
  readonly #datagrams$ = new Subject<Uint8Array>();
  readonly #notes$ = new Subject<Uint8Array>();
  readonly #queue = new DatagramQueue();
  readonly #table: StreamTable;
  readonly #connection: Connection;
  #state: 'handshake' | 'open' | 'closing' | 'ended' = 'handshake';
  /** What `close()` was called with; how the session ended. */
  #end: SessionEnd | undefined;
  /** When `close()` waits no longer, in ms of the clock. */
  #lingerUntil: number | undefined;
  /** The packet that ended the session, when this side had the last word. */
  #farewell: Uint8Array | undefined;
  /** Packets that came in after the end. */
  #late = 0;
  #handedIn = 0;
  #sentPackets = 0;
  #sentBytes = 0;
  #receivedPackets = 0;
  #receivedBytes = 0;
  #sending = false;

  constructor({ role, identity, expectedKey, clock, random, transmit }: SimSessionOptions) {
    this.role = role;
    this.#clock = clock;
    this.#transmit = transmit;
    this.established = this.#established.promise;
    this.closed = this.#closed.promise;
    this.streams$ = this.#acceptor.streams$;
    this.datagrams = {
      send: (bytes) => this.#sendDatagram(bytes),
      incoming$: this.#datagrams$.asObservable(),
      maxLength: () => (this.#state === 'open' ? MAX_DATAGRAM : 0),
    };
    this.notes$ = this.#notes$.asObservable();
    this.#timer = new SessionTimer(clock, () => this.#turn());
    this.#table = new StreamTable({
      role,
      wake: () => this.#timer.wake(),
      accept: (stream) => this.#acceptor.offer(stream),
      onNote: (bytes) => this.#notes$.next(bytes),
    });
    this.#connection = new Connection({
      role,
      identity,
      expectedKey,
      random,
      streams: this.#table,
      datagrams: this.#queue,
      wake: () => this.#timer.wake(),
      onKey: (proven) => this.#verified(proven),
      onFrame: (frame) => this.#take(frame),
    });
    this.#turn();
  }

  get connectionId(): Uint8Array {
    return this.#connection.id;
  }

  receive(packet: Uint8Array): void {
    this.authenticate(packet);
  }

  /** Costs what receiving does. */
  authenticate(packet: Uint8Array): boolean {
    this.#handedIn++;
    if (this.#state === 'ended') {
      this.#answerLate(packet);
      return false;
    }
    const reception = this.#receive(packet);
    if (reception === 'ignored') return false;
    this.#receivedPackets++;
    this.#receivedBytes += packet.length;
    return reception === 'authentic';
  }

  pathChanged(): void {
    if (this.#state === 'ended') return;
    this.#connection.onPathChanged(this.#clock.now());
    this.#turn();
  }

  isWaiting(): boolean {
    return this.#state !== 'ended' && this.#connection.isWaiting;
  }

  async openStream(protocol: string): Promise<SessionStream> {
    await this.#established.promise;
    return this.#table.open(protocol);
  }

  note(bytes: Uint8Array): boolean {
    return this.#state === 'open' && isNote(bytes) && this.#table.note(bytes);
  }

  stats(): SessionStats {
    return {
      sentPackets: this.#sentPackets,
      receivedPackets: this.#receivedPackets,
      lostPackets: this.#connection.lostPackets,
      ignoredPackets: this.#handedIn - this.#receivedPackets,
      sentBytes: this.#sentBytes,
      receivedBytes: this.#receivedBytes,
      rtt: this.#connection.rtt,
    };
  }

  close(code = 0, reason = ''): void {
    checkCode(code);
    if (this.#end !== undefined) return;
    const end: SessionEnd = { by: 'local', code, reason };
    if (this.#state === 'handshake') {
      this.#abort(end);
      return;
    }
    this.#state = 'closing';
    this.#end = end;
    this.#table.sendClose(code, reason);
    this.#stopUse(endError(end), false);
    this.#lingerUntil = this.#clock.now() + LINGER;
    this.#timer.wake();
  }

  #sendDatagram(bytes: Uint8Array): boolean {
    if (this.#state !== 'open' || !this.#queue.offer(bytes)) return false;
    this.#timer.wake();
    return true;
  }

  #receive(packet: Uint8Array): Reception {
    let reception: Reception = 'authentic';
    try {
      reception = this.#connection.receive(packet, this.#clock.now());
    } catch (error) {
      if (!(error instanceof TraversalError)) throw error;
      this.#violated(error.message);
    }
    if (reception === 'authentic') {
      this.#table.useRoom();
      this.#timer.wake();
    }
    return reception;
  }

  /** Nothing of the other side is surfaced before its key has been compared. */
  #verified(proven: boolean): void {
    if (this.#state === 'ended') return;
    if (!proven) {
      this.#abort({ by: 'local', code: CloseCode.PEER_KEY, reason: 'unexpected key' }, 'ERR_PEER_KEY');
      return;
    }
    this.#state = 'open';
    this.#established.resolve();
  }

  #take(frame: Frame): void {
    if (this.#state === 'ended') return;
    if (frame.type === 'connection-close') {
      const remote: SessionEnd = { by: 'remote', code: Math.min(frame.code, MAX_CODE), reason: frame.reason };
      this.#over(this.#end ?? remote);
    } else if (frame.type === 'datagram') {
      this.#datagrams$.next(frame.bytes);
    } else {
      const close = this.#table.receive(frame);
      if (close !== undefined) this.#abort(this.#end ?? { by: 'remote', code: close.code, reason: close.reason });
    }
  }

  /** What is due by now goes out. What `transmit` brings about waits for another turn. */
  #turn(): void {
    if (this.#state === 'ended') return;
    if (this.#sending) {
      this.#timer.wake();
      return;
    }
    const now = this.#clock.now();
    this.#connection.onTime(now);
    this.#whileSending(() => {
      for (let packet = this.#connection.next(now); packet !== undefined; packet = this.#connection.next(now)) {
        this.#send(packet);
        if (this.#hasEnded) return;
        this.#table.useRoom();
      }
    });
    if (this.#hasEnded) return;
    if (this.#lingerUntil !== undefined && this.#lingerUntil <= now) this.#abort(this.#end!);
    else this.#timer.arm(earlier(this.#connection.deadline, this.#lingerUntil));
  }

  /** Asked again after code of others has run. */
  get #hasEnded(): boolean {
    return this.#state === 'ended';
  }

  #whileSending(send: () => void): void {
    this.#sending = true;
    try {
      send();
    } finally {
      this.#sending = false;
    }
  }

  #send(packet: Uint8Array): void {
    this.#sentPackets++;
    this.#sentBytes += packet.length;
    this.#transmit(packet);
  }

  /** The other side broke a rule, which is its error and none of ours: the session ends, and nothing is thrown. */
  #violated(reason: string): void {
    if (this.#state === 'ended') return;
    const code = this.#state === 'handshake' ? 'ERR_SESSION_HANDSHAKE' : 'ERR_CLOSED';
    this.#abort({ by: 'local', code: CloseCode.PROTOCOL, reason }, code);
  }

  /** Says that the session has ended, and ends it. */
  #abort(end: SessionEnd, code: ErrorCode = 'ERR_CLOSED'): void {
    this.#farewell = this.#connection.farewell(end.code, end.reason);
    this.#over(end, code);
    if (this.#farewell !== undefined) this.#send(this.#farewell);
  }

  #over(end: SessionEnd, code: ErrorCode = 'ERR_CLOSED'): void {
    const error = endError(end, code);
    this.#state = 'ended';
    this.#end = end;
    this.#timer.stop();
    this.#established.reject(error);
    this.#stopUse(error, end.by === 'remote');
    this.#closed.resolve(end);
  }

  /** Nothing is opened, sent or announced any more; `drain`: bytes that came in may still be read. */
  #stopUse(error: TraversalError, drain: boolean): void {
    this.#table.end(error, drain);
    this.#queue.clear();
    this.#acceptor.complete();
    this.#datagrams$.complete();
    this.#notes$.complete();
  }

  /** The other side has missed the last packet: again, ever more rarely (RFC 9000 section 10.2.1). */
  #answerLate(packet: Uint8Array): void {
    if (!this.#connection.hasKeys) this.#receiveLate(packet);
    if (this.#farewell === undefined) return;
    this.#late++;
    if (Number.isInteger(Math.log2(this.#late))) this.#send(this.#farewell);
  }

  /** A server that was closed before its client had answered can only tell it so once that has come. */
  #receiveLate(packet: Uint8Array): void {
    if (this.role === 'client') return;
    this.#receive(packet);
    this.#farewell = this.#connection.farewell(this.#end!.code, this.#end!.reason);
  }
}

/** ms that `close()` waits for the other side's answer. */
const LINGER = 1000;
