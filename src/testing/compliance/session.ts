import { bulkTests } from './session-bulk.ts';
import { closeTests } from './session-close.ts';
import { datagramTests } from './session-datagrams.ts';
import { handshakeTests } from './session-handshake.ts';
import { noteTests } from './session-notes.ts';
import { packetTests } from './session-packets.ts';
import { pathTests } from './session-path.ts';
import { streamTests } from './session-streams.ts';
import { SessionBench, type SessionWorld } from './session-world.ts';
import { type Compliance, comply, type Suite } from './suite.ts';

/** What every `Session` owes its users, on a carrier that loses, doubles and reorders packets. */
export function sessionCompliance(options: Compliance<SessionWorld>): void {
  comply(sessionSuite, options);
}

export const sessionSuite: Suite<SessionWorld, SessionBench> = {
  contract: 'a Session',
  bench: SessionBench,
  groups: {
    handshake: handshakeTests,
    packets: packetTests,
    streams: streamTests,
    'many streams and bytes': bulkTests,
    datagrams: datagramTests,
    notes: noteTests,
    close: closeTests,
    'a path that dies for 2 s': pathTests,
  },
};
