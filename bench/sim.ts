/**
 * How fast the simulated internet is: packets a second of real time, and how much faster than real time it lets peers live. Run:
 * `npx tsx bench/sim.ts`. All figures are from one run of one process, after a
 * warm-up; on a machine that does other work, CPU time tells more than real time.
 */
import { createPeer } from '../src/index.ts';
import { type HomesOptions, homes, internet, runScenario, type Scenario, simEnvironment } from '../src/sim.ts';

/** What came of one measurement: ms of virtual time, of real time and of this process's CPU; IP packets that hosts sent. */
interface Figure {
  readonly virtual: number;
  readonly real: number;
  readonly cpu: number;
  readonly packets: number;
}

const HOUR = 3_600_000;
const PAIRS = 40;
const MIB = 2 ** 20;
const PAIR: HomesOptions = { a: 'home-router', b: 'linux' };

await connectPairs(PAIRS);
await udpThroughNats(50_000);
const udp = await udpThroughNats(200_000);
const pairs = await connectPairs(PAIRS);
const hour = await idleHour();
const transfer = await transferMiB(10);

console.log(`node ${process.version}\n`);
console.log(
  '| what | virtual time | real time | CPU time | virtual / real | packets sent | packets / s of real time |',
);
console.log('|---|---|---|---|---|---|---|');
row('UDP from host to host through two NATs, 200,000 datagrams', udp);
row(`connecting a pair behind NATs: first echo, direct, closed (mean of ${PAIRS})`, each(pairs, PAIRS));
row('an idle connection for an hour', hour);
row('10 MiB over a link of 100 Mbit/s', transfer);

function row(what: string, { virtual, real, cpu, packets }: Figure): void {
  const speed = (1_000 * packets) / real;
  const cells = [what, time(virtual), time(real), time(cpu), round(virtual / real), round(packets), round(speed)];
  console.log(`| ${cells.join(' | ')} |`);
}

function time(ms: number): string {
  return ms < 1_000 ? `${ms.toFixed(1)} ms` : `${(ms / 1_000).toFixed(2)} s`;
}

function round(figure: number): string {
  return figure < 10 ? figure.toFixed(1) : Math.round(figure).toLocaleString('en');
}

function each({ virtual, real, cpu, packets }: Figure, count: number): Figure {
  return { virtual: virtual / count, real: real / count, cpu: cpu / count, packets: packets / count };
}

/** Begins to measure; the function that it gives ends that. */
function stopwatch(): () => Pick<Figure, 'real' | 'cpu'> {
  const [startedAt, before] = [performance.now(), process.cpuUsage()];
  return () => {
    const { user, system } = process.cpuUsage(before);
    return { real: performance.now() - startedAt, cpu: (user + system) / 1_000 };
  };
}

/** One datagram a 10 µs, from a host behind one NAT to one behind another that lets everybody in. */
async function udpThroughNats(count: number): Promise<Figure> {
  const world = internet({ seed: 1 });
  const nat = { filtering: 'endpoint-independent' } as const;
  const [a, b] = ['a', 'b'].map((name) => world.nat(`${name}-home`, nat).host(name).udp.bind({ family: 4 }));
  const server = world.host('server');
  const socket = server.udp.bind({ family: 4, port: 3478 });
  const address = server.interfaces[0]!.addresses[0]!.address;
  let target = socket.local;
  socket.onDatagram = (_, from) => {
    target = from;
  };
  b!.send(new Uint8Array(1), { address, port: 3478, family: 4 });
  await world.clock.run();
  let received = 0;
  b!.onDatagram = () => {
    received++;
  };
  const payload = new Uint8Array(1_000);
  const from = world.clock.now();
  const stop = stopwatch();
  let sent = 0;
  const send = (): void => {
    a!.send(payload, target);
    if (++sent < count) world.clock.schedule(10, send);
  };
  send();
  await world.clock.advance((10 * count) / 1_000 + 1_000);
  const spent = stop();
  if (received !== count) throw new Error(`${received} of ${count} datagrams came`);
  return { virtual: world.clock.now() - from, packets: count, ...spent };
}

/** Whole scenarios, one after the other: each peer finds its way, they meet, talk, are direct, and close. */
async function connectPairs(count: number): Promise<Figure> {
  const total = { virtual: 0, real: 0, cpu: 0, packets: 0 };
  for (let seed = 1; seed <= count; seed++) {
    const run = await measured(homes({ ...PAIR, seed }));
    for (const field of ['virtual', 'real', 'cpu', 'packets'] as const) total[field] += run[field];
  }
  return total;
}

/** What keeps a connection alive: keepalives of NATs and sessions, consent, STUN refreshes, leases of mapped ports. */
function idleHour(): Promise<Figure> {
  const scenario = homes(PAIR);
  return measured({ ...scenario, dials: [{ ...scenario.dials[0]!, lasts: HOUR }], until: HOUR + 60_000 });
}

/** Measures a run, and counts its packets in another, since the one that is watched takes longer. */
async function measured(scenario: Scenario): Promise<Figure> {
  const stop = stopwatch();
  const { dials, endedAt } = await runScenario(scenario);
  const spent = stop();
  if (dials[0]?.outcome !== 'direct') throw new Error(`the connection was ${dials[0]?.outcome}`);
  let packets = 0;
  await runScenario(scenario, {
    watch(event) {
      if (event.type === 'packet' && event.record.fate === 'sent') packets++;
    },
  });
  return { virtual: endedAt, packets, ...spent };
}

/** From the first byte written to the last one read, on a direct path that stands. */
async function transferMiB(size: number): Promise<Figure> {
  const link = { latency: 10, rate: 100_000_000, queue: MIB };
  const { internet: plan } = homes({ ...PAIR, link });
  const world = internet(plan);
  const { clock } = world;
  const servers = ['ws://server:443'];
  let packets = 0;
  return clock.runUntil(
    (async () => {
      const [a, b] = await Promise.all(
        ['a', 'b'].map((name) => createPeer({ env: simEnvironment(world.hostNamed(name), { servers }) })),
      );
      const ticket = await b!.createTicket();
      let [received, onReceived] = [0, (): void => {}];
      const all = new Promise<void>((resolve) => {
        onReceived = resolve;
      });
      b!.incoming$.subscribe((connection) =>
        connection.streams$.subscribe(async (stream) => {
          for (let bytes = await stream.read(); bytes !== null; bytes = await stream.read()) received += bytes.length;
          onReceived();
        }),
      );
      const connection = a!.connect(ticket);
      const stream = await connection.openStream();
      await new Promise<void>((resolve) => {
        clock.setTimeout(resolve, 5_000);
      });
      if (connection.path?.kind !== 'direct') throw new Error('the path is not direct');
      const unwatch = world.watch(({ fate }) => {
        if (fate === 'sent') packets++;
      });
      const [from, stop] = [clock.now(), stopwatch()];
      for (let i = 0; i < size; i++) await stream.write(new Uint8Array(MIB));
      await stream.end();
      await all;
      const spent = stop();
      const virtual = clock.now() - from;
      unwatch();
      if (received !== size * MIB) throw new Error(`${received} bytes came`);
      await Promise.all([a!.close(), b!.close()]);
      return { virtual, packets, ...spent };
    })(),
  );
}
