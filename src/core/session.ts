import type { Observable } from 'rxjs';

/**
 * The secure session above paths: mutually authenticated, encrypted, reliable streams and unreliable datagrams.
 * Sans path: it is handed packets that arrived and hands out packets to send; which path carries them is not its business.
 */
export interface Session {
  readonly role: 'client' | 'server';
  /** Fulfils when the handshake is complete and the peer's key is the expected one. Errors: `ERR_SESSION_HANDSHAKE`, `ERR_PEER_KEY`, `ERR_CLOSED`. Never an unhandled rejection. */
  readonly established: Promise<void>;
  /** Fulfils once the session has ended, by whichever side. */
  readonly closed: Promise<SessionEnd>;
  /** A packet of this session has come in, on whatever path. Packets that fail authentication change nothing. */
  receive(packet: Uint8Array): void;
  /** The sending path has changed: probe at once, so that nothing waits for a backed-off timer. */
  pathChanged(): void;
  /** Errors: `ERR_CLOSED`. */
  openStream(protocol: string): Promise<SessionStream>;
  /** Streams that the other side opened and announced (their preface has been read). Buffered until first subscribed. */
  readonly streams$: Observable<SessionStream>;
  readonly datagrams: SessionDatagrams;
  stats(): SessionStats;
  /** Tells the other side and ends. */
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
  /** Abandons both directions with an application code. */
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
