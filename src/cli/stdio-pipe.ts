import { fstatSync } from 'node:fs';
import { Socket } from 'node:net';

/**
 * Whether writing can wait for a reader. Such a write must not block a thread: not the event loop's, and none of the
 * pool either, for Node waits for those when the process ends. On Windows there is no other way.
 */
export function isPipe(fd: 1 | 2): boolean {
  if (process.platform === 'win32') return false;
  const stat = fstatSync(fd);
  return stat.isFIFO() || stat.isSocket();
}

/** The pipe as a stream that can be destroyed, which `process.stdout` cannot. What goes wrong is told to each write. */
export function openPipe(fd: 1 | 2): Socket {
  return new Socket({ fd, readable: false, writable: true }).on('error', () => {});
}
