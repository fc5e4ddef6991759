import { describe, expect, test } from 'vitest';
import { defaultFlow } from '../../src/index.ts';
import {
  createTraversalModel,
  EVENTS,
  loopbackDriver,
  type ModelEvent,
  type ModelEventType,
  replay,
  testPath,
  testPaths,
} from '../../src/testing/index.ts';

const driver = loopbackDriver();

/** What takes seconds; a black hole takes half a minute until consent is over. */
const QUICK: readonly ModelEventType[] = ['dialed', 'time.passed', 'server.lost', 'closed', 'listener.ended'];

describe('the default flow on real sockets', () => {
  const events = EVENTS.filter(({ type }) => QUICK.includes(type));
  const model = createTraversalModel(defaultFlow, driver, { events });
  testPaths(model, { test: test.concurrent });

  const hard: readonly (readonly ModelEvent[])[] = [
    [{ type: 'link.lossy' }, { type: 'dialed' }, { type: 'time.passed' }],
    [{ type: 'dialed' }, { type: 'time.passed' }, { type: 'nat.rebound', side: 'dialer' }, { type: 'time.passed' }],
    [{ type: 'dialed' }, { type: 'time.passed' }, { type: 'udp.blocked' }, { type: 'time.passed' }],
  ];
  test.concurrent.each(hard.map((path) => [path.map(({ type }) => type).join(', '), path] as const))(
    '%s',
    { timeout: 120_000 },
    async (_, path) => {
      const all = createTraversalModel(defaultFlow, driver);
      const lines: string[] = [];
      await testPath(all, all.getPathFromEvents(path), { trace: (line) => lines.push(line) });
      expect((await replay(lines)).records).toBe(lines.length - 2);
    },
  );
});

test('says what it cannot do', () => {
  expect(Object.keys(driver.cannot)).toEqual(['roamed', 'router.rebooted', 'signaling.delayed', 'signaling.prompt']);
});
