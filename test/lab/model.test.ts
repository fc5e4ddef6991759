import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultFlow } from '../../src/index.ts';
import {
  commandDriver,
  createTraversalModel,
  type Driver,
  EVENTS,
  type Invariant,
  invariants,
  type ModelEvent,
  type ModelEventType,
  type ModelPath,
  type Prospects,
  type TraversalModel,
  testPath,
} from '../../src/testing/index.ts';
import { type NatName, NatPair } from './nat-pair.ts';
import { createLab, type Lab } from './net/lab.ts';
import { describeInLab } from './net/requirements.ts';
import { ServerHost } from './server-host.ts';

const SURE: Prospects = { direct: 'sure', withoutUdp: 'possible' };
const LUCKY: Prospects = { direct: 'possible', withoutUdp: 'possible' };
const NEVER: Prospects = { direct: 'impossible', withoutUdp: 'impossible' };

describeInLab('the model on NATs of the kernel', () => {
  let lab: Lab;
  /** For those that do not lose it. */
  let server: ServerHost;
  let places = 0;

  beforeAll(async () => {
    lab = await createLab();
    server = await ServerHost.start(lab, 'server');
  });
  afterAll(() => lab.close());

  function driverFor(dialer: NatName, listener: NatName, prospects: Prospects, { ownServer = false } = {}): Driver {
    return commandDriver({
      name: `${dialer} x ${listener}`,
      prospects,
      async place() {
        const name = `model${++places}`;
        const at = ownServer ? await ServerHost.start(lab, `${name}s`) : server;
        return NatPair.build(lab, name, { dialer, listener }, at);
      },
      events: {
        'nat.rebound': (pair, { side }) => pair.rebind(side),
        'udp.blocked': (pair) => pair.blockUdp(),
        'udp.unblocked': (pair) => pair.unblockUdp(),
        ...(ownServer && {
          'server.lost': (pair: NatPair) => pair.server.lose(),
          'server.returned': (pair: NatPair) => pair.server.restore(),
        }),
      },
    });
  }

  it.concurrent.each<[NatName, NatName, Prospects]>([
    ['EI/EI', 'EI/EI', SURE],
    ['EI/APD', 'EI/APD', SURE],
    ['EI/APD, random ports', 'EI/APD, random ports', SURE],
    ['EI/AD', 'APD/APD', SURE],
    ['APD/APD', 'EI/EI', SURE],
    ['EI/APD, random ports', 'APD/APD', LUCKY],
    ['APD/APD', 'APD/APD', NEVER],
  ])('%s x %s: both NATs forget a connection, one after the other', async (dialer, listener, prospects) => {
    const driver = driverFor(dialer, listener, prospects);
    const model = createTraversalModel(defaultFlow, driver);
    await walk(model, pathOf(model, FORGOTTEN));
  });

  it.concurrent.each<[NatName, NatName, Prospects]>([
    ['EI/APD', 'EI/APD', SURE],
    ['APD/APD', 'APD/APD', NEVER],
  ])('%s x %s: no UDP gets through any more, and then again', async (dialer, listener, prospects) => {
    const driver = driverFor(dialer, listener, prospects);
    const model = createTraversalModel(defaultFlow, driver);
    await walk(model, pathOf(model, BLACKOUT));
  });

  it.concurrent('APD/APD x APD/APD: the server goes away, and comes back', async () => {
    const driver = driverFor('APD/APD', 'APD/APD', NEVER, { ownServer: true });
    const model = createTraversalModel(defaultFlow, driver);
    await walk(model, pathOf(model, OUTAGE));
  });

  // Two that have nothing but the server give up two minutes after it is gone: too long to go there on every way.
  describe.each<[NatName, NatName, Prospects, readonly ModelEventType[]]>([
    ['EI/APD', 'EI/APD', SURE, ['dialed', 'time.passed', 'closed', 'server.lost', 'server.returned']],
    ['APD/APD', 'APD/APD', NEVER, ['dialed', 'time.passed', 'closed', 'listener.ended']],
  ])('%s x %s, by every transition:', (dialer, listener, prospects, types) => {
    const driver = driverFor(dialer, listener, prospects, { ownServer: types.includes('server.lost') });
    const events = EVENTS.filter(({ type }) => types.includes(type));
    const model = createTraversalModel(defaultFlow, driver, { events });
    for (const path of model.getShortestPaths()) {
      it.concurrent(path.description, () => walk(model, path));
    }
  });

  it('notices a pair that does not come to what is possible', async () => {
    const driver = driverFor('APD/APD', 'APD/APD', SURE);
    const impatient: Driver = { ...driver, bounds: { ...driver.bounds, rest: 8_000 } };
    const model = createTraversalModel(defaultFlow, impatient);
    const path = model.getPathFromEvents([{ type: 'dialed' }, { type: 'time.passed' }]);
    await expect(walk(model, path)).rejects.toThrow('but the dialer is relayed, not direct');
  });
});

const FORGOTTEN: readonly ModelEvent[] = [
  { type: 'dialed' },
  { type: 'time.passed' },
  { type: 'nat.rebound', side: 'dialer' },
  { type: 'time.passed' },
  { type: 'nat.rebound', side: 'listener' },
  { type: 'time.passed' },
  { type: 'closed', side: 'listener' },
];
const BLACKOUT: readonly ModelEvent[] = [
  { type: 'dialed' },
  { type: 'time.passed' },
  { type: 'udp.blocked' },
  { type: 'time.passed' },
  { type: 'udp.unblocked' },
  { type: 'time.passed' },
  { type: 'closed', side: 'dialer' },
];
const OUTAGE: readonly ModelEvent[] = [
  { type: 'dialed' },
  { type: 'time.passed' },
  { type: 'server.lost' },
  { type: 'server.returned' },
  { type: 'time.passed' },
  { type: 'closed', side: 'listener' },
];

/** With time to notice what has happened to the network: until then, all looks well. */
function pathOf(model: TraversalModel, events: readonly ModelEvent[]): Pick<ModelPath, 'steps'> {
  const { steps } = model.getPathFromEvents(events);
  return { steps: steps.map((step) => ({ ...step, pause: UNNOTICED.includes(step.event.type) ? LATE : step.pause })) };
}

const UNNOTICED: readonly ModelEventType[] = ['nat.rebound', 'udp.blocked'];
/** ms; a listener that is asked nothing notices when it asks for consent, every 5 s (RFC 7675). */
const LATE = 10_000;

function walk(model: TraversalModel, path: Pick<ModelPath, 'steps'>): Promise<void> {
  return testPath(model, path, { invariants: [...invariants, answered] });
}

/** Who is connected is heard: what is told of the path is true. */
const answered: Invariant = {
  name: 'pings are answered',
  check: ({ atRest, snapshot, observation: { waiting = 0 } }) =>
    atRest && snapshot.matches('connected') && waiting > LONGEST_ANSWER
      ? `the dialer has waited ${Math.round(waiting)} ms for an answer`
      : undefined,
};

/** ms; less than {@link LATE}. */
const LONGEST_ANSWER = 5_000;
