import type { Clock } from '../../core/clock.ts';
import { pause } from '../../core/pause.ts';
import type { SessionStream } from '../../core/session.ts';
import type { Connection } from '../../index.ts';

/** What two sides say on one stream of a connection, so that there is something to lose: a number that grows, and its echo. */
export class PairTalk {
  readonly #clock: Clock;
  readonly #every: number;
  #echoes = 0;
  #askedAt: number | undefined;
  #failure: string | undefined;

  /** `every`: ms between an echo and the next number. */
  constructor(clock: Clock, every: number) {
    this.#clock = clock;
    this.#every = every;
  }

  /** Numbers that came back. */
  get echoes(): number {
    return this.#echoes;
  }

  /** ms for which the last number has not come back; 0 while it has. */
  get waiting(): number {
    return this.#askedAt === undefined ? 0 : this.#clock.now() - this.#askedAt;
  }

  /** Why nothing is said any more; absent while the stream is whole. A connection that ends takes its streams along. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** The dialer's part. Never rejects. */
  async speak(connection: Connection): Promise<void> {
    try {
      await connection.ready;
      const stream = await connection.openStream();
      for (;;) {
        this.#askedAt = this.#clock.now();
        await roundTrip(stream, this.#echoes + 1);
        this.#askedAt = undefined;
        this.#echoes++;
        await pause(this.#clock, this.#every);
      }
    } catch (error) {
      this.#askedAt = undefined;
      this.#failure = String(error);
    }
  }
}

/** The listener's part: sends everything back. Errors: those of the stream. */
export async function echoAll(stream: SessionStream): Promise<void> {
  for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read()) await stream.write(chunk);
  await stream.end();
}

async function roundTrip(stream: SessionStream, number: number): Promise<void> {
  const sent = Buffer.alloc(4);
  sent.writeUInt32BE(number);
  await stream.write(sent);
  let heard = Buffer.alloc(0);
  while (heard.length < sent.length) {
    const chunk = await stream.read();
    if (chunk === null) throw new Error('the other side ended the stream');
    heard = Buffer.concat([heard, chunk]);
  }
  if (!heard.equals(sent)) throw new Error(`said ${sent.toString('hex')} and heard ${heard.toString('hex')}`);
}
