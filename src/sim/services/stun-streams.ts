import type { Clock } from '../../core/clock.ts';
import { TraversalError } from '../../core/errors.ts';
import { createStunServer, createStunStreamDecoder } from '../../protocol/stun/index.ts';
import type { TcpSocket } from '../tcp/socket.ts';

/** STUN on TCP (RFC 8489 section 6.2.2): answers the Binding requests of a connection until it makes no sense, or its client ends it. */
export class StunStreams {
  readonly #clock: Clock;
  readonly #server = createStunServer();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A connection has come in. */
  admit(socket: TcpSocket): void {
    void this.#serve(socket);
  }

  async #serve(socket: TcpSocket): Promise<void> {
    try {
      await this.#answer(socket);
    } catch (error) {
      // Broken, or not STUN.
      if (!(error instanceof TraversalError)) throw error;
    }
    socket.destroy();
  }

  async #answer(socket: TcpSocket): Promise<void> {
    const decoder = createStunStreamDecoder(LONGEST_REQUEST);
    for (let chunk = await socket.read(); chunk !== null; chunk = await socket.read()) {
      for (const data of decoder.decode(chunk)) {
        const answer = this.#server.handle({ data, from: socket.remote }, socket.local, this.#clock.now());
        if (answer === undefined) return;
        await socket.write(answer.reply);
      }
    }
  }
}

/** Bytes. */
const LONGEST_REQUEST = 548;
