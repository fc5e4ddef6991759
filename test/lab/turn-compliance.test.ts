/** The adapter `turnRelay` at a real coturn (Debian package `coturn`), over loopback. */
import { describe } from 'vitest';
import { cryptoRandom, nodeNetwork, systemClock } from '../../src/adapters/node/index.ts';
import { turnRelay } from '../../src/adapters/relay/turn.ts';
import { silentLog } from '../../src/core/log.ts';
import { pause } from '../../src/core/pause.ts';
import { type ComplianceSkip, type RelayWorld, relayCompliance } from '../../src/testing/compliance/index.ts';
import { type RelayUser, relayedPaths } from '../adapters/relay/relayed-pairs.ts';
import { hasTurnserver, startTurnserver } from './turnserver.ts';

const LOOPBACK = '127.0.0.1';
/** Of the last server: each has one of its own, as what is left of one that was killed may still hold its port. */
let port = 34_780;
const USER = 'alice';
const PASSWORD = 'wonderland';

const UNTOLD: ComplianceSkip = {
  test: 'ends at both ends when one leaves',
  reason: 'who sends to a relayed address is not told that it was given back',
};
const SILENT: ComplianceSkip = {
  test: 'ends with its relay',
  reason: 'over UDP that takes minutes of real time: it is tested on the simulated internet',
};
const ENDLESS: ComplianceSkip = {
  test: 'drops what the relay cannot take yet, and goes on when it can',
  reason: 'coturn takes everything, over UDP and TCP; what is too much is lost on the way',
};

if (!hasTurnserver) console.warn('skipped: turnRelay at coturn: no turnserver on the PATH (Debian package coturn)');

describe.skipIf(!hasTurnserver)('at coturn', () => {
  relayCompliance({ name: 'turnRelay over UDP', create: () => world('udp'), skip: [UNTOLD, SILENT, ENDLESS] });
  relayCompliance({ name: 'turnRelay over TCP', create: () => world('tcp'), skip: [UNTOLD, ENDLESS] });
});

async function world(transport: 'udp' | 'tcp'): Promise<RelayWorld> {
  port++;
  const server = await startTurnserver([
    `--listening-ip=${LOOPBACK}`,
    `--relay-ip=${LOOPBACK}`,
    `--listening-port=${port}`,
    '--allow-loopback-peers',
    '--lt-cred-mech',
    '--realm=lab',
    `--user=${USER}:${PASSWORD}`,
  ]);
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= server.stop();
    return stopped;
  };
  const environment = { network: nodeNetwork(), clock: systemClock(), random: cryptoRandom(), log: silentLog };
  await listening(environment);
  const user: RelayUser = {
    relay: turnRelay({ host: LOOPBACK, port, user: USER, password: PASSWORD, transport }),
    environment,
  };
  return {
    clock: environment.clock,
    settle: (promise) => promise,
    transport: `turn-${transport}`,
    longest: 1_400,
    async connect() {
      const [a, b] = await relayedPaths(user, user, 50);
      return { a, b, leave: () => a.close() };
    },
    cut: stop,
    close: stop,
  };
}

/** Fulfils when it takes TCP connections, which it begins with a moment after it has said so. */
async function listening({ network, clock }: Pick<RelayUser['environment'], 'network' | 'clock'>): Promise<void> {
  for (;;) {
    try {
      const connection = await network.connect({ host: LOOPBACK, port });
      connection.destroy();
      return;
    } catch {
      await pause(clock, 10);
    }
  }
}
