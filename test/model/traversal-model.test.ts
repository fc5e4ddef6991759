import { describe, expect, test } from 'vitest';
import { defaultFlow, defineFlow, TraversalError } from '../../src/index.ts';
import {
  actorFaults,
  brokenStrategy,
  createTraversalModel,
  EVENTS,
  type ModelEvent,
  type PathOptions,
  type Prospects,
  RARE_EVENTS,
  type TraversalModel,
  type TraversalModelOptions,
} from '../../src/testing/index.ts';
import { fakeDriver } from './fake-driver.ts';

const SURE: Prospects = { direct: 'sure', withoutUdp: 'impossible' };
const directOnly = defineFlow({ ...defaultFlow.spec, policy: 'direct-only' });

function modelOf(flow = defaultFlow, prospects = SURE, events?: readonly ModelEvent[]): TraversalModel {
  return createTraversalModel(flow, fakeDriver(), { prospects, events });
}

/** Where events lead: `relayed`, or `recovering`. */
function leadsTo(model: TraversalModel, ...types: readonly (ModelEvent['type'] | ModelEvent)[]): string {
  const events = types.map((event) => (typeof event === 'string' ? eventOf(event) : event));
  return model.getPathFromEvents(events).description.split(': ').at(-1)!;
}

function eventOf(type: ModelEvent['type']): ModelEvent {
  return [...EVENTS, ...RARE_EVENTS].find((event) => event.type === type)!;
}

describe('where a pair comes to rest', () => {
  test.each([
    ['relay-first', 'sure', 'connected.direct'],
    ['relay-first', 'possible', 'connected.either'],
    ['relay-first', 'impossible', 'connected.relayed'],
    ['direct-only', 'sure', 'connected.direct'],
    ['direct-only', 'possible', 'unsure'],
    ['direct-only', 'impossible', 'failed'],
    ['relay-only', 'sure', 'connected.relayed'],
  ] as const)('%s, where a direct path is %s', (policy, direct, rest) => {
    expect(
      leadsTo(
        modelOf(defineFlow({ ...defaultFlow.spec, policy }), { direct, withoutUdp: 'impossible' }),
        'dialed',
        'time.passed',
      ),
    ).toBe(rest);
  });

  test('without UDP it is what TCP can do', () => {
    expect(leadsTo(modelOf(), 'udp.blocked', 'dialed', 'time.passed')).toBe('connected.relayed');
    const overTcp = modelOf(defaultFlow, { direct: 'sure', withoutUdp: 'sure' });
    expect(leadsTo(overTcp, 'udp.blocked', 'dialed', 'time.passed')).toBe('connected.direct');
  });

  test('without a server it fails', () => {
    expect(leadsTo(modelOf(), 'server.lost', 'dialed', 'time.passed')).toBe('failed');
  });

  test('with a server for some of the time it cannot be told', () => {
    expect(leadsTo(modelOf(), 'dialed', 'server.lost', 'time.passed')).toBe('unsure');
  });

  test('with a listener that is gone it fails', () => {
    expect(leadsTo(modelOf(), 'dialed', 'listener.ended', 'time.passed')).toBe('failed');
    expect(leadsTo(modelOf(), 'listener.ended', 'listener.returned', 'dialed', 'time.passed')).toBe('failed');
  });

  test('what was aborted before it was dialled has failed', () => {
    expect(leadsTo(modelOf(), 'aborted', 'dialed')).toBe('failed');
  });
});

describe('what disturbs a pair at rest', () => {
  const direct = ['dialed', 'time.passed'] as const;

  test('a direct path needs no server', () => {
    expect(leadsTo(modelOf(), ...direct, 'server.lost')).toBe('connected.direct');
  });

  test('a relayed one does', () => {
    const model = modelOf(defaultFlow, { direct: 'impossible', withoutUdp: 'impossible' });
    expect(leadsTo(model, ...direct, 'server.lost')).toBe('recovering');
    expect(leadsTo(model, ...direct, 'server.lost', 'time.passed')).toBe('failed');
    expect(leadsTo(model, ...direct, 'server.lost', 'server.returned', 'time.passed')).toBe('connected.relayed');
  });

  test('a black hole ends in a relayed path, and without a relay', () => {
    expect(leadsTo(modelOf(), ...direct, 'udp.blocked', 'time.passed')).toBe('connected.relayed');
    expect(leadsTo(modelOf(directOnly), ...direct, 'udp.blocked', 'time.passed')).toBe('failed');
  });

  test('who has moved is connected again', () => {
    const roamed = { type: 'roamed', side: 'listener' } as const;
    expect(leadsTo(modelOf(), ...direct, roamed, 'time.passed')).toBe('connected.either');
    expect(leadsTo(modelOf(directOnly), ...direct, roamed, 'time.passed')).toBe('unsure');
  });

  test('a broken session is the end', () => {
    expect(leadsTo(modelOf(), ...direct, 'session.broke')).toBe('failed');
  });

  test('a listener that has ended is missed', () => {
    expect(leadsTo(modelOf(), ...direct, 'listener.ended', 'time.passed')).toBe('failed');
  });
});

describe('paths', () => {
  test('go through every transition of the model, and none is the beginning of another', () => {
    const model = modelOf();
    const paths = model.getShortestPaths();
    const texts = paths.map(({ steps }) => JSON.stringify(steps).slice(0, -1));
    expect(paths.length).toBeGreaterThan(50);
    for (const [i, text] of texts.entries()) {
      expect(texts.some((other, j) => i !== j && other.startsWith(text))).toBe(false);
    }
    const taken = new Set(
      paths.flatMap(({ steps }) =>
        transitionsOf(
          model,
          steps.map(({ event }) => event),
        ),
      ),
    );
    expect(taken.size).toBe(122);
  });

  test('avoid the traps of xstate/graph', () => {
    for (const { steps } of modelOf().getShortestPaths({ cover: 'situations' })) {
      const model = modelOf();
      let snapshot = model.initial();
      for (const { event } of steps) {
        expect(event.type.startsWith('xstate.')).toBe(false);
        expect(snapshot.status).toBe('active');
        expect(snapshot.can(event)).toBe(true);
        snapshot = model.next(snapshot, event);
      }
    }
  });

  test('hold only events that may happen', () => {
    const events: readonly ModelEvent[] = [
      { type: 'dialed' },
      { type: 'time.passed' },
      { type: 'closed', side: 'listener' },
    ];
    const paths = modelOf(defaultFlow, SURE, events).getShortestPaths();
    expect(paths.map(({ description }) => description)).toEqual([
      'dialed, time.passed, closed (listener): closed',
      'dialed, time.passed, time.passed: connected.direct',
    ]);
  });

  test('have the pause that is wanted', () => {
    const [path] = modelOf().getShortestPaths({ pause: 7 });
    expect(path!.steps.every(({ pause }) => pause === 7)).toBe(true);
  });

  test('simple ones visit no state twice', () => {
    const model = modelOf();
    for (const { steps } of model.getSimplePaths()) {
      const states = [
        model.initial(),
        ...walk(
          model,
          steps.map(({ event }) => event),
        ),
      ].map(({ value }) => JSON.stringify(value));
      expect(new Set(states).size).toBe(states.length);
    }
  });

  test('are the same each time', () => {
    expect(modelOf().getShortestPaths()).toEqual(modelOf().getShortestPaths());
  });
});

describe('wrong use', () => {
  test('an event that cannot happen where it stands', () => {
    const path = () => modelOf().getPathFromEvents([{ type: 'dialed' }, { type: 'server.returned' }]);
    expect(path).toThrow(new TraversalError('ERR_USAGE', 'events[1]: server.returned cannot happen while traversing'));
  });

  test('an event that the driver cannot make happen', () => {
    const driver = { ...fakeDriver(), name: 'cable', cannot: { roamed: 'it is bolted down' } };
    const events: readonly ModelEvent[] = [{ type: 'roamed', side: 'dialer' }];
    expect(() => createTraversalModel(defaultFlow, driver, { events })).toThrow(
      'events[0]: the cable cannot do roamed (dialer): it is bolted down',
    );
    expect(createTraversalModel(defaultFlow, driver).events.some(({ type }) => type === 'roamed')).toBe(false);
  });
});

describe('what it is asked for', () => {
  const of = (options: unknown) => () =>
    createTraversalModel(defaultFlow, fakeDriver(), options as TraversalModelOptions);

  test.each<[unknown, string]>([
    [{ events: [] }, 'events: must be a list of events, one at least'],
    [{ events: 'dialed' }, 'events: must be a list of events, one at least'],
    [{ events: ['dialed'] }, 'events[0]: must be an object, not "dialed"'],
    [{ events: [{ type: 'dialed' }, { type: 'foo' }] }, 'events[1].type: must be one of dialed, '],
    [{ events: [{ type: 'roamed' }] }, 'events[0].side: is missing'],
    [{ events: [{ type: 'dialed', side: 'dialer' }] }, 'events[0].side: there is no such field'],
    [{ events: [{ type: 'listener.returned', ports: 'other' }] }, 'events[0].ports: must be one of same'],
    [{ events: [{ type: 'actor.broke', side: 'dialer' }] }, 'events[0].actor: is missing'],
    [{ event: [] }, 'options.event: there is no such field'],
    [{ relay: 'no' }, 'options.relay: must be true or false'],
    [{ prospects: { direct: 'sure' } }, 'options.prospects.withoutUdp: is missing'],
    [{ prospects: { direct: 'maybe', withoutUdp: 'sure' } }, 'options.prospects.direct: must be one of sure, possible'],
    [null, 'options: must be an object, not null'],
  ])('%j', (options, message) => {
    expect(of(options)).toThrow(usage(message));
  });

  test('every event that there is', () => {
    const events = [...EVENTS, ...RARE_EVENTS, ...actorFaults(['watch'])];
    expect(of({ events })().events).toEqual(events);
  });

  test('no flow and no driver', () => {
    expect(() => createTraversalModel(defaultFlow.spec as never, fakeDriver())).toThrow(
      usage('flow: an object is no flow; call defineFlow()?'),
    );
    expect(() => createTraversalModel(defaultFlow, undefined as never)).toThrow(usage('driver: is no driver'));
    expect(() => brokenStrategy({} as never, 'checks', 'hangs')).toThrow(
      usage('flow: an object is no flow; call defineFlow()?'),
    );
  });

  test('a fault that is none', () => {
    expect(() => actorFaults('punch' as never)).toThrow(usage('actors: must be a list of names'));
    expect(() => brokenStrategy(defaultFlow, 'checks', 'explodes' as never)).toThrow(
      usage('fault: must be one of fails'),
    );
    expect(() => brokenStrategy(defaultFlow, 'chekcs', 'hangs')).toThrow(usage('name: there is no strategy chekcs'));
  });

  test.each<[unknown, string]>([
    [{ cover: 'states' }, 'options.cover: must be one of transitions, situations'],
    [{ pause: Number.NaN }, 'options.pause: must be a number in 0..2147483647, not NaN'],
    [{ pause: -1 }, 'options.pause: must be a number in 0..2147483647, not -1'],
  ])('paths %j', (options, message) => {
    expect(() => modelOf().getShortestPaths(options as PathOptions)).toThrow(usage(message));
  });

  test('events of a path', () => {
    expect(() => modelOf().getPathFromEvents(['dialed'] as never)).toThrow(usage('events[0]: must be an object'));
    expect(() => modelOf().getPathFromEvents('dialed' as never)).toThrow(usage('events: must be a list of events'));
    expect(() => modelOf().getSimplePaths({ pause: -1 })).toThrow(usage('options.pause: must be a number'));
  });
});

test('what it is made with is told in code', () => {
  const { code } = createTraversalModel(defaultFlow, fakeDriver());
  expect(code).toBe('createTraversalModel(flow, fakeDriver())');
  const other = createTraversalModel(defaultFlow, fakeDriver(), { relay: false, prospects: SURE });
  expect(other.code).toBe(
    "createTraversalModel(flow, fakeDriver(), { relay: false, prospects: { direct: 'sure', withoutUdp: 'impossible' } })",
  );
});

test('every state at rest says what is seen of both sides', () => {
  const events = [...EVENTS, ...RARE_EVENTS, ...actorFaults(['watch'])];
  const model = modelOf(defaultFlow, SURE, events);
  for (const { steps } of model.getShortestPaths()) {
    for (const snapshot of walk(
      model,
      steps.map(({ event }) => event),
    )) {
      const { dialer, listener } = model.sees(snapshot);
      expect(dialer.length * listener.length).toBeGreaterThan(0);
    }
  }
});

function walk(model: TraversalModel, events: readonly ModelEvent[]) {
  let snapshot = model.initial();
  return events.map((event) => {
    snapshot = model.next(snapshot, event);
    return snapshot;
  });
}

function transitionsOf(model: TraversalModel, events: readonly ModelEvent[]): readonly string[] {
  const states = [model.initial(), ...walk(model, events)].map(({ value }) => value);
  return events.map((event, i) => JSON.stringify([states[i], event, states[i + 1]]));
}

function usage(message: string) {
  return expect.objectContaining({ code: 'ERR_USAGE', message: expect.stringContaining(message) });
}
