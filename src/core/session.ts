import type { Observable } from 'rxjs';

/**
 * The secure session above paths: mutually authenticated, encrypted, reliable streams and unreliable datagrams.
 * Sans path: it is handed packets that arrived and hands out packets to send; which path carries them is not its
 * business.
 */
export interface Session {
  readonly role: 'client' | 'server';
  /**
   * The connection id that this side chose, 16 bytes: the destination of every packet that comes in (RFC 9000 section
   * 5.1), but for a client's first packets, which carry a random one.
   */
  readonly connectionId: Uint8Array;
  /**
   * Fulfils when the handshake is complete and the peer's key is the expected one. Errors: `ERR_SESSION_HANDSHAKE`,
   * `ERR_PEER_KEY`, `ERR_CLOSED`. Never an unhandled rejection.
   */
  readonly established: Promise<void>;
  /** Fulfils once the session has ended, by whichever side. */
  readonly closed: Promise<SessionEnd>;
  /**
   * A packet of this session has come in, on whatever path. Packets that fail authentication change nothing; they are
   * counted.
   */
  receive(packet: Uint8Array): void;
  /**
   * The same, and says whether the packet was authentic and new: true only when it comes from the other side, for a
   * forged, damaged or repeated one is neither. For now and then, as asking may cost several times what receiving does.
   */
  authenticate(packet: Uint8Array): boolean;
  /** The sending path has changed: probe at once, so that nothing waits for a backed-off timer. */
  pathChanged(): void;
  /** Whether something sent is unacknowledged, or an acknowledgement is owed: silence is a symptom only then. */
  isWaiting(): boolean;
  /** Errors: `ERR_CLOSED`. */
  openStream(protocol: string): Promise<SessionStream>;
  /**
   * Streams that the other side opened and announced (their preface has been read). A bounded number waits for the
   * first subscriber; more are reset, and so are those that come while nobody subscribes.
   */
  readonly streams$: Observable<SessionStream>;
  readonly datagrams: SessionDatagrams;
  /** What the other side said by {@link note}, in its order. What comes while nobody listens is dropped. */
  readonly notes$: Observable<Uint8Array>;
  /**
   * Tells the other side something beside all streams, reliably and in order: 1..1,200 bytes. False when it was not taken, as it is longer or
   * empty, too much waits to be sent, or the session is not established.
   */
  note(bytes: Uint8Array): boolean;
  stats(): SessionStats;
  /**
   * Ends the session: streams and datagrams at once, `closed` when the other side has answered or a second has passed.
   * `code` 0..2^30-1; `reason` at most 255 bytes. What must arrive first is awaited with
   * {@link SessionStream.finished}.
   */
  close(code?: number, reason?: string): void;
}

export interface SessionEnd {
  /** Who closed: `remote` also when the other side's close was an error. */
  readonly by: 'local' | 'remote';
  readonly code: number;
  readonly reason: string;
}

/** A bidirectional reliable stream. Back pressure both ways: nothing is read ahead beyond the flow-control window. */
export interface SessionStream {
  readonly id: number;
  /** The protocol named in the opener's preface. */
  readonly protocol: string;
  /** Next chunk, or `null` at the other side's end. One call at a time. Errors: `ERR_STREAM_RESET`, `ERR_CLOSED`. */
  read(): Promise<Uint8Array | null>;
  /** Resolves when the bytes are in the session's send buffer. Errors: `ERR_STREAM_RESET`, `ERR_CLOSED`. */
  write(bytes: Uint8Array): Promise<void>;
  /** Half-close: the other side reads `null` after what was written. Resolves when handed to the session. */
  end(): Promise<void>;
  /**
   * Fulfils when the other side has read everything up to `end()`: the program may then close the session or exit and
   * nothing is lost. Rejects when either side resets the stream or the session ends first: `ERR_STREAM_RESET`,
   * `ERR_CLOSED`. Never an unhandled rejection.
   */
  readonly finished: Promise<void>;
  /** Abandons both directions with an application code, 0..2^30-1. */
  reset(code?: number): void;
}

export interface SessionDatagrams {
  /** False when dropped at once (too long, queue full, not established). */
  send(bytes: Uint8Array): boolean;
  readonly incoming$: Observable<Uint8Array>;
  /** Longest payload in bytes, 0 before the session is established. */
  maxLength(): number;
}

export interface SessionStats {
  readonly sentPackets: number;
  readonly receivedPackets: number;
  readonly lostPackets: number;
  /** Packets handed in that changed nothing: forged, damaged, duplicate or late. */
  readonly ignoredPackets: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Smoothed round trip in ms. */
  readonly rtt: number;
}

export interface SessionOptions {
  readonly role: 'client' | 'server';
  /** Raw Ed25519 public key (32 bytes) that the other side must prove. */
  readonly expectedKey: Uint8Array;
  /** Called with each packet to send, at most 1200 bytes; valid during the call only. */
  readonly transmit: (packet: Uint8Array) => void;
}

/** Makes sessions for one identity. */
export interface SessionFactory {
  create(options: SessionOptions): Session;
  close(): void;
}
