import { PassThrough } from 'node:stream';
import { describe, expect, test, vi } from 'vitest';
import { checks, defaultFlow, defineFlow } from '../../src/index.ts';
import {
  brokenStrategy,
  type CommandDriverOptions,
  type CommandPlace,
  commandDriver,
  createTraversalModel,
  type Driver,
  type RunningCommand,
  type Side,
  type World,
  type WorldSetup,
} from '../../src/testing/index.ts';

/** A process that tells what it is made to tell, and ends as it is told by default. */
class FakeCommand implements RunningCommand {
  readonly lines = new PassThrough({ objectMode: true });
  readonly exited: Promise<number | null>;
  readonly signals: string[] = [];
  onSignal = (signal: string): void => this.exit(signal === 'SIGKILL' ? null : 0);
  #exit!: (code: number | null) => void;

  constructor() {
    this.exited = new Promise((resolve) => {
      this.#exit = resolve;
    });
  }

  tell(event: string, fields: object = {}): void {
    this.say(JSON.stringify({ event, ...fields }));
  }

  say(line: string): void {
    this.lines.write(line);
  }

  exit(code: number | null): void {
    this.lines.end();
    this.#exit(code);
  }

  kill(signal: string): void {
    this.signals.push(signal);
    this.onSignal(signal);
  }
}

class FakePlace implements CommandPlace {
  readonly servers = ['ws://one.example', 'ws://two.example'];
  readonly commands: Partial<Record<Side, FakeCommand>> = {};
  readonly arguments: Partial<Record<Side, readonly string[]>> = {};
  readonly happened: unknown[] = [];

  run(side: Side, args: readonly string[]): RunningCommand {
    const command = new FakeCommand();
    this.commands[side] = command;
    this.arguments[side] = args;
    if (side === 'listener') command.tell('ticket', { ticket: 'sp1ticket' });
    else command.tell('state', { value: { traversing: {} } });
    return command;
  }

  get dialer(): FakeCommand {
    return this.commands.dialer!;
  }

  get listener(): FakeCommand {
    return this.commands.listener!;
  }
}

function driverAt(place: FakePlace, options: Partial<CommandDriverOptions<FakePlace>> = {}) {
  return commandDriver({
    name: 'fake',
    prospects: { direct: 'sure', withoutUdp: 'possible' },
    place: async () => place,
    events: { 'nat.rebound': async (at, { side }) => void at.happened.push(side) },
    ...options,
  });
}

/** A world whose dialer has dialled. */
async function dialled(place: FakePlace): Promise<World> {
  const world = await driverAt(place).start({ flow: defaultFlow, seed: 1 });
  await world.perform({ type: 'dialed' });
  return world;
}

const DIRECT = { kind: 'direct', transport: 'udp', local: '192.0.2.1:1', remote: '192.0.2.2:2', strategy: 'checks' };
const CONNECTED = { value: { connected: { path: 'direct', liveness: 'fresh' } } };
const NOTHING = { timers: 0, sockets: 0, subscriptions: 0 };

describe('a pair of commands', () => {
  test('is run by the policy of the flow, and by its module', async () => {
    const place = new FakePlace();
    const world = await driverAt(place, { flow: './flow.js' }).start({ flow: defaultFlow, seed: 1 });
    await world.perform({ type: 'dialed' });
    const common = ['--json', '--policy', 'relay-first', '--flow', './flow.js'];
    const servers = ['--server', 'ws://one.example', '--server', 'ws://two.example'];
    expect(place.arguments.listener).toEqual(['listen', '--echo', ...common, ...servers]);
    expect(place.arguments.dialer).toEqual(
      expect.arrayContaining(['ping', 'sp1ticket', '--interval', '500', ...common, ...servers]),
    );
    expect(await world.end()).toEqual(NOTHING);
    expect([place.listener.signals, place.dialer.signals]).toEqual([['SIGINT'], ['SIGINT']]);
  });

  test('is seen by what it tells', async () => {
    const place = new FakePlace();
    const world = await dialled(place);
    expect(world.observe()).toMatchObject({
      dialer: { sight: 'traversing', established: 0 },
      listener: { sight: 'none' },
      waiting: 0,
    });

    place.dialer.tell('state', CONNECTED);
    place.dialer.tell('path', DIRECT);
    place.dialer.tell('connected');
    await expect.poll(() => world.observe().dialer).toMatchObject({ sight: 'direct', path: DIRECT, established: 1 });
    await expect.poll(() => world.observe().waiting).toBeGreaterThan(0);
    place.dialer.tell('pong', { seq: 1 });
    await expect.poll(() => world.observe().waiting).toBe(0);

    place.dialer.tell('state', { value: { connected: { path: 'direct', liveness: 'suspect' } } });
    await expect.poll(() => world.observe().dialer.suspectSince).toBeGreaterThan(0);
    place.dialer.tell('state', { value: { recovering: 'searching' } });
    await expect.poll(() => world.observe().dialer).toMatchObject({ sight: 'recovering', suspectSince: undefined });
    place.dialer.tell('path', { ...DIRECT, kind: 'relayed', transport: 'websocket' });
    place.dialer.tell('state', CONNECTED);
    await expect.poll(() => world.observe().dialer.sight).toBe('relayed');

    place.dialer.tell('verdict', { outcome: 'failed', code: 'ERR_TIMEOUT' });
    place.dialer.tell('error', { code: 'ERR_TIMEOUT' });
    place.dialer.exit(1);
    await expect
      .poll(() => world.observe())
      .toMatchObject({
        dialer: { sight: 'failed', code: 'ERR_TIMEOUT' },
        waiting: 0,
      });
    expect(await world.end()).toEqual(NOTHING);
  });

  test('is closed by either user, and killed, as it is in life', async () => {
    const place = new FakePlace();
    const world = await dialled(place);
    place.dialer.onSignal = () => {
      place.dialer.tell('verdict', { outcome: 'direct' });
      place.dialer.exit(130);
    };
    await world.perform({ type: 'closed', side: 'dialer' });
    await world.perform({ type: 'listener.ended' });
    await expect
      .poll(() => world.observe())
      .toMatchObject({ dialer: { sight: 'closed' }, listener: { sight: 'gone' } });
    expect(await world.end()).toEqual(NOTHING);
    expect(place.dialer.signals).toEqual(['SIGINT']);
    expect(place.listener.signals).toEqual(['SIGKILL', 'SIGINT']);
  });

  test('has what the environment does done by its place, and nothing else', async () => {
    const place = new FakePlace();
    const driver = driverAt(place);
    const world = await driver.start({ flow: defaultFlow, seed: 1 });
    await world.perform({ type: 'nat.rebound', side: 'listener' });
    expect(place.happened).toEqual(['listener']);
    expect(driver.cannot).toHaveProperty('server.lost');
    for (const type of ['nat.rebound', 'dialed', 'closed', 'listener.ended', 'time.passed']) {
      expect(driver.cannot).not.toHaveProperty([type]);
    }
    await expect(world.perform({ type: 'server.lost' })).rejects.toMatchObject({ code: 'ERR_NOT_AVAILABLE' });
    await world.end();
  });
});

describe('a driver of commands', () => {
  const spec = { ...defaultFlow.spec, policy: 'direct-only' as const };
  const guarded = defaultFlow.punch.provide({ guards: {} });

  test('takes the default flow under any policy', async () => {
    const place = new FakePlace();
    const world = await driverAt(place).start({ flow: defineFlow(spec), seed: 1 });
    expect(place.arguments.listener).toEqual(expect.arrayContaining(['--policy', 'direct-only']));
    await world.end();
  });

  test.each<[string, Partial<WorldSetup>, string]>([
    ["a flow of one's own", { flow: defineFlow({ ...spec, punch: checks() }) }, 'flow: is not the default one'],
    ['one to which something was provided', { flow: defaultFlow.with({ punch: guarded }) }, 'flow: is not the default'],
    ['a broken one', { flow: brokenStrategy(defaultFlow, 'checks', 'hangs') }, 'flow: is not the default one'],
    ['a trace', { trace: () => {} }, 'trace: a process writes a trace of its own'],
    ['an inspector', { inspect: () => {} }, 'inspect: nobody sees the charts of another process'],
  ])('refuses %s', async (_, setup, message) => {
    const place = new FakePlace();
    const started = driverAt(place).start({ flow: defaultFlow, seed: 1, ...setup });
    await expect(started).rejects.toMatchObject({ code: 'ERR_USAGE', message: expect.stringContaining(message) });
    expect(place.commands).toEqual({});
  });

  test('is code to paste, or a name to fill in', () => {
    const code = "driverFor('EI/EI', 'APD/APD')";
    const codeOf = (driver: Driver) => createTraversalModel(defaultFlow, driver).code;
    expect(codeOf(driverAt(new FakePlace(), { code }))).toBe(`createTraversalModel(flow, ${code})`);
    expect(codeOf(driverAt(new FakePlace()))).toBe('createTraversalModel(flow, driver)');
  });
});

describe('what goes wrong with a process', () => {
  test('a listener without a ticket', async () => {
    const place = new FakePlace();
    const run = vi.spyOn(place, 'run').mockImplementation(() => {
      const command = new FakeCommand();
      command.tell('error', { code: 'ERR_NETWORK' });
      command.exit(1);
      return command;
    });
    const started = driverAt(place).start({ flow: defaultFlow, seed: 1 });
    await expect(started).rejects.toMatchObject({ code: 'ERR_NOT_AVAILABLE' });
    expect(run).toHaveBeenCalledOnce();
  });

  test.each<[string, (command: FakeCommand) => void, string]>([
    ['it crashes', (command) => command.exit(7), 'a process of Sallyport has ended with 7'],
    ['somebody kills it', (command) => command.exit(null), 'a process of Sallyport has ended with a signal'],
    ['it talks nonsense', (command) => command.say('Segmentation fault'), 'Segmentation'],
  ])('%s', async (_, happen, message) => {
    const place = new FakePlace();
    const world = await dialled(place);
    happen(place.dialer);
    await expect.poll(() => seen(world)).toContain(message);
    await expect(world.end()).rejects.toThrow(message);
  });

  test.each<[string, (place: FakePlace) => Promise<unknown>, Side, string]>([
    [
      'a ticket',
      (place) => driverAt(place).start({ flow: defaultFlow, seed: 1 }),
      'listener',
      'a ticket of the listener',
    ],
    ['a word of the dial', (place) => dialled(place), 'dialer', 'the dial'],
  ])('it never comes to %s', async (_, work, silent, what) => {
    const place = new FakePlace();
    const run = place.run.bind(place);
    vi.spyOn(place, 'run').mockImplementation((side, args) => {
      const command = side === silent ? new FakeCommand() : run(side, args);
      return Object.assign(place.commands, { [side]: command })[side]!;
    });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const refused = expect(work(place)).rejects.toThrow(`${what}: not done within 30 s`);
      await vi.advanceTimersByTimeAsync(30_000);
      await refused;
    } finally {
      vi.useRealTimers();
    }
    expect(place.listener.signals).toEqual(silent === 'listener' ? ['SIGKILL'] : []);
  });

  test('it does not end', async () => {
    const place = new FakePlace();
    const world = await dialled(place);
    place.dialer.onSignal = (signal) => {
      if (signal === 'SIGKILL') place.dialer.exit(null);
    };
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const ended = world.end();
      await vi.advanceTimersByTimeAsync(10_000);
      expect(await ended).toEqual({ ...NOTHING, sockets: 1 });
    } finally {
      vi.useRealTimers();
    }
    expect(place.dialer.signals).toEqual(['SIGINT', 'SIGKILL']);
  });
});

/** What it says when it is looked at. */
function seen(world: World): string {
  try {
    return JSON.stringify(world.observe());
  } catch (error) {
    return String(error);
  }
}
