/** Reading from one WebSocket, so that it comes to an end. */
export interface Turns {
  /** Nothing is read until the function that it gives is called. */
  hold(): () => void;
  /** Nothing is read any more. */
  stop(): void;
}

/** What can be read from, and left for a while. */
interface Pausable {
  pause(): void;
  resume(): void;
}

/** What a WebSocket runs on. */
interface ByteSource {
  on(event: 'data', listener: (chunk: Uint8Array) => void): unknown;
}

/**
 * To be called once the WebSocket reads `stream`. Has a connection wait for its next turn, in which all others have
 * theirs, after each 64 KiB. Otherwise the system hands over up to 2 MiB of one at a time, and a few that flood hold up
 * everything else for seconds.
 */
export function takeTurns(socket: Pausable, stream: ByteSource): Turns {
  let read = 0;
  let stopped = false;
  let isWaiting = false;
  let isHeld = false;

  function goOn(): void {
    if (!stopped && !isWaiting && !isHeld) socket.resume();
  }

  stream.on('data', (chunk) => {
    read += chunk.length;
    if (read < MAX_A_TURN || isWaiting) return;
    isWaiting = true;
    socket.pause();
    setImmediate(() => {
      isWaiting = false;
      read = 0;
      goOn();
    });
  });
  return {
    hold() {
      isHeld = true;
      socket.pause();
      return () => {
        isHeld = false;
        goOn();
      };
    },
    stop() {
      stopped = true;
      socket.pause();
    },
  };
}

const MAX_A_TURN = 64 * 1024;
