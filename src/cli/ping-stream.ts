import type { SessionStream } from '../core/session.ts';
import { PING_LENGTH } from './protocols.ts';

/** One ping stream: sends a number, gives it back when it has come round. */
export interface PingStream {
  /** Fulfils when the answer to `seq` is there. Errors: those of the stream. */
  roundTrip(seq: number): Promise<void>;
  end(): Promise<void>;
}

export function createPingStream(stream: SessionStream): PingStream {
  let buffered = Buffer.alloc(0);
  return {
    async roundTrip(seq) {
      const ping = Buffer.alloc(PING_LENGTH);
      ping.writeBigUInt64BE(BigInt(seq));
      await stream.write(ping);
      while (buffered.length < PING_LENGTH) {
        const chunk = await stream.read();
        if (chunk === null) throw new Error('the other side ended the ping stream');
        buffered = Buffer.concat([buffered, chunk]);
      }
      buffered = buffered.subarray(PING_LENGTH);
    },
    end: () => stream.end(),
  };
}
