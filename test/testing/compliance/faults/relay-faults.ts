import { merge, mergeMap, NEVER, of } from 'rxjs';
import type { Path } from '../../../../src/core/path.ts';
import { changed, type Faults } from './fault.ts';

/** What is wrong at both ends of a relayed path. */
export const relayFaults: Faults<Path> = {
  'reads the bytes after it has returned': {
    noticedBy: 'is done with the bytes when send returns',
    plant: (path) =>
      changed(path, {
        send(bytes) {
          queueMicrotask(() => path.send(bytes));
          return true;
        },
      }),
  },
  'keeps what cannot be sent yet': {
    noticedBy: 'drops what the relay cannot take yet, and goes on when it can',
    plant: (path) => changed(path, { send: (bytes) => path.send(bytes) || bytes.length <= 1_500 }),
  },
  'delivers twice': {
    noticedBy: 'carries each datagram once',
    plant: (path) =>
      changed(path, { datagrams$: path.datagrams$.pipe(mergeMap((datagram) => of(datagram, datagram))) }),
  },
  'takes the first bytes for its own': {
    noticedBy: 'carries datagrams whatever they begin with',
    plant: (path) => changed(path, { send: (bytes) => bytes[0] !== 0x40 && path.send(bytes) }),
  },
  'never completes': {
    noticedBy: 'ends with its relay',
    plant: (path) => changed(path, { datagrams$: merge(path.datagrams$, NEVER) }),
  },
  'throws when it has ended': {
    noticedBy: 'completes its datagrams on close, and drops what is sent afterwards',
    plant: (path) => {
      let closed = false;
      return changed(path, {
        send(bytes) {
          if (closed) throw new Error('closed');
          return path.send(bytes);
        },
        close() {
          closed = true;
          path.close();
        },
      });
    },
  },
};
