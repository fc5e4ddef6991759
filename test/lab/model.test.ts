import { afterAll, beforeAll, it } from 'vitest';
import { defaultFlow } from '../../src/index.ts';
import {
  commandDriver,
  createTraversalModel,
  type Driver,
  EVENTS,
  type ModelEvent,
  type ModelEventType,
  type Prospects,
  type Side,
  testPath,
} from '../../src/testing/index.ts';
import { type Rendezvous, runSallyport, serve } from './commands.ts';
import type { Host } from './net/host.ts';
import { createLab, type Lab, type Site } from './net/lab.ts';
import { NATS } from './net/nat.ts';
import { describeInLab } from './net/requirements.ts';

type Nat = keyof typeof NATS;

describeInLab('the model on NATs of the kernel', () => {
  let lab: Lab;
  let server: Host;
  let rendezvous: Rendezvous;
  let sites = 0;

  beforeAll(async () => {
    lab = await createLab();
    server = await lab.publicHost('server', { addresses: 2 });
    rendezvous = await serve(server);
  });
  afterAll(() => lab.close());

  /** Two processes of the command line behind these NATs, which forget, and a server that goes away and comes back. */
  async function driverFor(nats: readonly [Nat, Nat], prospects: Prospects): Promise<Driver> {
    const [dialer, listener] = await Promise.all(nats.map((nat) => lab.site(`model${++sites}`, { nat: NATS[nat] })));
    const places: Readonly<Record<Side, Site>> = { dialer: dialer!, listener: listener! };
    return commandDriver({
      name: nats.join(' x '),
      prospects,
      servers: [rendezvous.url],
      run(side, args) {
        const process = runSallyport(places[side].hosts[0]!, args);
        const exited = process.wait().then(({ code }) => code);
        return { lines: process.lines, exited, kill: (signal) => void process.kill(signal) };
      },
      events: {
        'nat.rebound': async (event) => {
          if ('side' in event) await places[event.side].nat.reboot();
        },
        'server.lost': async () => {
          await rendezvous.process.kill('SIGKILL');
        },
        'server.returned': async () => {
          rendezvous = await serve(server);
        },
      },
    });
  }

  const SURE: Prospects = { direct: 'sure', withoutUdp: 'possible' };
  const NEVER: Prospects = { direct: 'impossible', withoutUdp: 'impossible' };
  const LUCKY: Prospects = { direct: 'possible', withoutUdp: 'possible' };
  const moved: readonly ModelEvent[] = [
    { type: 'dialed' },
    { type: 'time.passed' },
    { type: 'nat.rebound', side: 'dialer' },
    { type: 'time.passed' },
    { type: 'closed', side: 'listener' },
  ];

  it.each<[Nat, Nat, Prospects]>([
    ['EI/EI', 'EI/EI', SURE],
    ['EI/APD', 'EI/APD', SURE],
    ['EI/APD, random ports', 'EI/APD, random ports', SURE],
    ['EI/AD', 'APD/APD', SURE],
    ['APD/APD', 'EI/EI', SURE],
    ['EI/APD, random ports', 'APD/APD', LUCKY],
    ['APD/APD', 'APD/APD', NEVER],
  ])('%s x %s', async (a, b, prospects) => {
    const driver = await driverFor([a, b], prospects);
    const model = createTraversalModel(defaultFlow, driver);
    await testPath(model, driver, model.getPathFromEvents(moved));
  });

  it('the server goes away and comes back between two APD/APD', { timeout: 300_000 }, async () => {
    const driver = await driverFor(['APD/APD', 'APD/APD'], NEVER);
    const model = createTraversalModel(defaultFlow, driver);
    const types = ['dialed', 'time.passed', 'server.lost', 'server.returned', 'time.passed'] as const;
    await testPath(model, driver, model.getPathFromEvents(types.map((type) => ({ type }))));
  });

  it('every transition that is quick, between two EI/APD', { timeout: 600_000 }, async () => {
    const driver = await driverFor(['EI/APD', 'EI/APD'], SURE);
    const quick: readonly ModelEventType[] = ['dialed', 'time.passed', 'closed', 'listener.ended'];
    const events = EVENTS.filter(({ type }) => quick.includes(type));
    const model = createTraversalModel(defaultFlow, driver, { events });
    for (const path of model.getShortestPaths()) await testPath(model, driver, path);
  });
});
