import type { Connection } from '@matrixai/quic/native/types.js';

/** Stops reading (STOP_SENDING) and writing (RESET_STREAM) with an application code (RFC 9000 section 3). */
export function shutdownStream(connection: Connection, id: number, code: number): void {
  for (const direction of [READ, WRITE]) {
    try {
      connection.streamShutdown(id, direction, code);
    } catch {
      // quiche has forgotten the stream: that direction is over already
    }
  }
}

/** quiche's `Shutdown`, whose values are only in the native binding. */
const READ = 0;
const WRITE = 1;
