/** Sallyport's ICE agent and foreign ones, werift's and libnice's, through NATs: the pair, data, a minute of consent, a restart. */
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { COTURN_PORT, startCoturn } from './net/coturn.ts';
import type { Host } from './net/host.ts';
import { IceAgent, type ToldPair } from './net/ice/ice-agent.ts';
import { createLab, type Lab } from './net/lab.ts';
import { NATS, type NatSpec } from './net/nat.ts';
import { canBuildWithLibnice, describeInLab } from './net/requirements.ts';

/** A host, and the address that its packets seem to come from. */
interface Place {
  readonly host: Host;
  readonly seenAs: string;
}

type Network = (lab: Lab, name: string) => Promise<readonly [theirs: Place, ours: Place]>;

const apart =
  (theirs: NatSpec, ours: NatSpec): Network =>
  async (lab, name) => {
    const [one, other] = await Promise.all([
      lab.site(`${name}-theirs`, { nat: theirs }),
      lab.site(`${name}-ours`, { nat: ours }),
    ]);
    return [
      { host: one.hosts[0]!, seenAs: one.publicAddress },
      { host: other.hosts[0]!, seenAs: other.publicAddress },
    ];
  };

const NETWORKS: Record<string, Network> = {
  'EI/APD x EI/APD': apart(NATS['EI/APD'], NATS['EI/APD']),
  'EI/EI x APD/APD': apart(NATS['EI/EI'], NATS['APD/APD']),
  'APD/APD x EI/EI': apart(NATS['APD/APD'], NATS['EI/EI']),
  'same LAN': async (lab, name) => {
    const { hosts } = await lab.site(name, { nat: NATS['EI/APD'], hosts: 2 });
    return [
      { host: hosts[0]!, seenAs: hosts[0]!.address },
      { host: hosts[1]!, seenAs: hosts[1]!.address },
    ];
  },
  'IPv6, firewalls': async (lab, name) => {
    const options = { nat: NATS['drops UDP'], ipv6: true }; // of IPv4 there is nothing to fall back to
    const sites = await Promise.all([lab.site(`${name}-theirs`, options), lab.site(`${name}-ours`, options)]);
    const [theirs, ours] = sites.map(({ hosts }) => ({ host: hosts[0]!, seenAs: `[${hosts[0]!.ipv6}]` }));
    return [theirs!, ours!];
  },
};

const DATAGRAMS = 1000;
const MINUTE = 60_000;
/** In a minute at 4..6 s each (RFC 7675 section 5.1), one less for where the minute begins. */
const LEAST_CONSENT_CHECKS = 9;

describeInLab('ICE with foreign agents', () => {
  let lab: Lab;
  let stun: { readonly address: string; readonly port: number };
  /** By title. All cells run at the same time, so that the minute is one for all. */
  const meetings = new Map<string, Promise<Meeting>>();
  const withLibnice = canBuildWithLibnice('ICE with libnice');
  const cells = (['werift', 'libnice'] as const).flatMap((kind) =>
    (['controlling', 'controlled'] as const).flatMap((role) =>
      Object.keys(NETWORKS).map((network) => ({ kind, role, network, title: `${kind}, ${role}, ${network}` })),
    ),
  );
  type Cell = (typeof cells)[number];

  beforeAll(async () => {
    lab = await createLab();
    const server = await lab.publicHost('server', { addresses: 2 });
    await startCoturn(server);
    stun = { address: server.address, port: COTURN_PORT };
    let started: Promise<unknown> = Promise.resolve();
    for (const [number, cell] of cells.entries()) {
      if (cell.kind === 'libnice' && !withLibnice) continue;
      // One after the other: a program that starts wants a core for itself.
      const agents = started.then(() => start(cell, `site${number}`));
      const meeting = agents.then(meet);
      started = Promise.allSettled([agents]);
      void Promise.allSettled([meeting]); // its test tells of a failure
      meetings.set(cell.title, meeting);
    }
  });
  afterAll(async () => {
    await lab.close();
    await printTable(meetings);
  });

  async function start({ kind, role, network }: Cell, name: string): Promise<Agents> {
    const [theirs, ours] = await NETWORKS[network]!(lab, name);
    const [foreign, own] = await Promise.all([
      IceAgent.start(kind, theirs.host, role, stun),
      IceAgent.start('sallyport', ours.host, role === 'controlling' ? 'controlled' : 'controlling', stun),
    ]);
    return { foreign, own, theirs, ours };
  }

  const testCells = (kind: Cell['kind']) =>
    it.each(cells.filter((cell) => cell.kind === kind).map(({ title }) => title))('%s', async (title) => {
      const { theirs, ours, first, consent, second } = await meetings.get(title)!;
      for (const { foreign, own, echoed } of [first, second]) {
        expect(foreign.remote).toBe(own.local);
        expect(addressOf(own.local)).toBe(ours.seenAs);
        expect(addressOf(own.remote)).toBe(theirs.seenAs);
        expect([addressOf(own.remote), theirs.host.address]).toContain(addressOf(foreign.local));
        expect(echoed).toEqual({ theirs: DATAGRAMS, ours: DATAGRAMS });
      }
      expect(consent.answered).toBeGreaterThanOrEqual(LEAST_CONSENT_CHECKS);
      expect(consent.heard).toBeGreaterThanOrEqual(LEAST_CONSENT_CHECKS);
      expect(consent).toMatchObject({ lost: 0, echoed: { theirs: DATAGRAMS, ours: DATAGRAMS } });
    });
  testCells('werift');
  if (withLibnice) testCells('libnice');
});

interface Agents {
  readonly foreign: IceAgent;
  readonly own: IceAgent;
  readonly theirs: Place;
  readonly ours: Place;
}

/** What one generation came to. */
interface Round {
  readonly foreign: ToldPair;
  readonly own: ToldPair;
  /** ms until both had told their pair. */
  readonly time: number;
  readonly echoed: Echoed;
}

/** Datagrams that came back to each side. */
interface Echoed {
  readonly theirs: number;
  readonly ours: number;
}

interface Meeting extends Omit<Agents, 'foreign' | 'own'> {
  readonly first: Round;
  /** Of a minute: our consent checks that were answered, theirs that came, pairs that we lost; and what was echoed at its end. */
  readonly consent: {
    readonly answered: number;
    readonly heard: number;
    readonly lost: number;
    readonly echoed: Echoed;
  };
  /** After a restart. */
  readonly second: Round;
}

async function meet({ foreign, own, theirs, ours }: Agents): Promise<Meeting> {
  const first = await agree(foreign, own, () => IceAgent.introduce(foreign, own));
  const before = await counts(own);
  await setTimeout(MINUTE);
  const after = await counts(own);
  const echoed = await exchange(foreign, own);
  const second = await agree(foreign, own, () => IceAgent.restart(foreign, own));
  return {
    theirs,
    ours,
    first,
    consent: {
      answered: after.answered - before.answered,
      heard: after.heard - before.heard,
      lost: after.lost,
      echoed,
    },
    second,
  };
}

async function agree(foreign: IceAgent, own: IceAgent, begin: () => void): Promise<Round> {
  const start = performance.now();
  begin();
  const [theirPair, ourPair] = await Promise.all([foreign.nominated(), own.nominated()]);
  const time = performance.now() - start;
  return { foreign: theirPair, own: ourPair, time, echoed: await exchange(foreign, own) };
}

async function exchange(foreign: IceAgent, own: IceAgent): Promise<Echoed> {
  const [theirs, ours] = await Promise.all([foreign.ping(DATAGRAMS), own.ping(DATAGRAMS)]);
  return { theirs, ours };
}

async function counts(own: IceAgent): Promise<{ answered: number; heard: number; lost: number }> {
  return (await own.status()) as { answered: number; heard: number; lost: number };
}

/** `203.0.113.4` of `203.0.113.4:40000`, `[2001:db8::1]` of `[2001:db8::1]:40000`. */
function addressOf(endpoint: string): string {
  return endpoint.replace(/:\d+$/, '');
}

async function printTable(meetings: ReadonlyMap<string, Promise<Meeting>>): Promise<void> {
  const rows = await Promise.all(
    [...meetings].map(async ([title, meeting]) => {
      const row = await meeting.then(
        ({ first, consent, second }) =>
          `${first.own.local} - ${first.own.remote} | ${first.time.toFixed()} | ${consent.answered} / ${consent.heard} | ${second.time.toFixed()}`,
        (error) => `failed: ${error}`,
      );
      return `| ${title} | ${row} |`;
    }),
  );
  console.info(
    [
      '| foreign agent, its role, its network x ours | our nominated pair | ms | consent checks of a minute: ours answered / theirs heard | ms after a restart |',
      '|---|---|---|---|---|',
      ...rows,
    ].join('\n'),
  );
}
