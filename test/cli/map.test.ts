import { Command } from 'commander';
import { Subject } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { addMap, addressChanges, keepMapping } from '../../src/cli/map.ts';
import { Deferred } from '../../src/core/deferred.ts';
import { endpoint } from '../../src/core/endpoint.ts';
import { TraversalError } from '../../src/core/errors.ts';
import type { NetworkInterface } from '../../src/core/network.ts';
import type { Mapping, MappingRequest } from '../../src/core/port-mapper.ts';
import { type FakeLeases, fakeLeases } from '../fake-leases.ts';
import { manualClock } from '../manual-clock.ts';
import { leftover } from './mapping-world.ts';
import { recordedReporter } from './recorded-reporter.ts';
import { errorCode, type RunningCommand, run, sallyport } from './sallyport.ts';

const request: MappingRequest = { protocol: 'tcp', internalPort: 8080, externalPort: 80 };

interface KeepingOptions {
  readonly json?: boolean;
  readonly leases?: FakeLeases;
  /** What is still noted when the leases are closed. */
  readonly noted?: readonly Mapping[];
}

/** The command, under way with leases that do as the test says. */
function keeping({ json = true, leases = fakeLeases(), noted = [] }: KeepingOptions = {}) {
  const interrupt = new AbortController();
  const changes$ = new Subject<void>();
  const recorded = recordedReporter({ json });
  const context = { reporter: recorded.reporter, signal: interrupt.signal };
  const ended = keepMapping(leases, request, context, {
    clock: manualClock(),
    changes$,
    noted: async () => noted.map((mapping) => ({ mapping, running: true })),
  });
  return { recorded, leases, lease: leases.kept[0]!, changes$, ended, interrupt: () => interrupt.abort() };
}

describe('keepMapping', () => {
  const mapped = {
    event: 'mapped',
    via: 'pcp',
    protocol: 'tcp',
    external: '203.0.113.7:80',
    internal: '192.168.0.10:8080',
    gateway: '192.168.0.1',
    lifetime: 3600,
    reach: 'internet',
    renewIn: 1800,
    advice: [],
  };

  it('tells programs of the search, the mapping, each renewal and the removal', async () => {
    const { recorded, lease, ended, interrupt } = keeping();
    lease.map();
    lease.map({ lifetime: 1200, renewAfter: 600_000 });
    interrupt();
    expect(await ended).toBe(0);
    expect(recorded.events).toEqual([
      { event: 'mapping', protocol: 'tcp', internalPort: 8080, externalPort: 80 },
      mapped,
      { ...mapped, lifetime: 1200, renewIn: 600 },
      { event: 'released', protocol: 'tcp', external: '203.0.113.7:80' },
    ]);
    expect(recorded.stderr).toEqual([]);
  });

  it('tells people the same, a line each on stdout, and a renewal only when it has changed something', async () => {
    const { recorded, lease, ended, interrupt } = keeping({ json: false });
    lease.map();
    lease.map({ lifetime: 3599 });
    lease.map({ external: endpoint('203.0.113.7', 50_000) });
    interrupt();
    await ended;
    const line = 'to 192.168.0.10:8080 via pcp gateway 192.168.0.1 reach internet lifetime 3600';
    expect(recorded.stdout).toEqual([
      `mapped tcp 203.0.113.7:80 ${line}`,
      `mapped tcp 203.0.113.7:50000 ${line}`,
      'released tcp 203.0.113.7:50000',
    ]);
    expect(recorded.stderr).toEqual([
      'asking the gateway for external tcp port 80 ..',
      'a lease of 3600 s, renewed in 1800 s; Ctrl-C removes the mapping',
      'a lease of 3599 s, renewed in 1800 s; Ctrl-C removes the mapping',
      'a lease of 3600 s, renewed in 1800 s; Ctrl-C removes the mapping',
    ]);
  });

  it('goes on when the mapping is lost, and tells when it is made again', async () => {
    const { recorded, lease, ended, interrupt } = keeping({ json: false });
    lease.map();
    lease.lose();
    lease.fail();
    lease.map({ external: endpoint('198.51.100.1', 80) });
    interrupt();
    expect(await ended).toBe(0);
    expect(recorded.stdout.map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual([
      'mapped tcp 203.0.113.7:80',
      'lost tcp 203.0.113.7:80',
      'mapped tcp 198.51.100.1:80',
      'released tcp 198.51.100.1:80',
    ]);
    expect(recorded.stderr).toContain('  tried pcp: nobody answers');
  });

  it('says once what was tried, however often it fails, until there is a mapping again', async () => {
    const { recorded, lease, ended, interrupt } = keeping({ json: false });
    for (let outage = 0; outage < 2; outage++) {
      lease.map();
      for (let retry = 0; retry < 3; retry++) {
        lease.lose();
        lease.fail();
      }
    }
    interrupt();
    await ended;
    expect(recorded.stderr.filter((line) => line === '  tried pcp: nobody answers')).toHaveLength(2);
  });

  it('tells programs what was lost', async () => {
    const { recorded, lease, ended, interrupt } = keeping();
    lease.map();
    lease.lose();
    interrupt();
    await ended;
    expect(recorded.events.slice(2)).toEqual([
      { event: 'lost', protocol: 'tcp', external: '203.0.113.7:80' },
      { event: 'mapping', protocol: 'tcp', internalPort: 8080, externalPort: 80 },
    ]);
  });

  it('ends with the error when there is no mapping to be had, after what was tried and what to do', async () => {
    const { recorded, leases, lease, ended } = keeping();
    lease.fail();
    await expect(ended).rejects.toMatchObject({ code: 'ERR_MAPPING_UNAVAILABLE' });
    expect(leases.closed).toBe(true);
    expect(recorded.events[1]).toEqual({
      event: 'unavailable',
      attempts: [{ via: 'pcp', code: 'ERR_MAPPING_UNAVAILABLE', reason: 'nobody answers', ms: 1750 }],
      advice: [expect.stringContaining('switch on UPnP, NAT-PMP or PCP')],
    });
    expect(recorded.events).toHaveLength(2);
  });

  it.each([
    ['ERR_MAPPING_CONFLICT', '--fail-if-taken'],
    ['ERR_MAPPING_EXHAUSTED', 'remove what is not needed'],
    ['ERR_MAPPING_REFUSED', 'allow port mapping'],
    ['ERR_GATEWAY_PROTOCOL', 'firmware'],
    ['ERR_TIMEOUT', 'switch on UPnP'],
  ] as const)('knows what to do about %s', async (code, advice) => {
    const { recorded, lease, ended } = keeping({ json: false });
    lease.fail(new TraversalError(code, 'no'));
    await expect(ended).rejects.toMatchObject({ code });
    expect(recorded.stdout).toEqual([]);
    expect(recorded.stderr.slice(1)).toEqual(['  tried pcp: no', expect.stringMatching(`^  hint: .*${advice}`)]);
  });

  it.each([
    ['carrier', 'ask the provider for a public address'],
    ['private', 'map the port there as well'],
  ] as const)('warns of an external address with reach %s', async (reach, advice) => {
    const { recorded, lease, ended, interrupt } = keeping({ json: false });
    lease.map({ reach });
    lease.map({ reach });
    interrupt();
    await ended;
    const warnings = recorded.stderr.filter((line) => line.startsWith('warning: '));
    expect(warnings).toEqual([expect.stringContaining(advice)]);
  });

  it('gives programs the same warning', async () => {
    const { recorded, lease, ended, interrupt } = keeping();
    lease.map({ reach: 'carrier' });
    interrupt();
    await ended;
    expect(recorded.events[1]).toMatchObject({ reach: 'carrier', advice: [expect.stringContaining('carrier')] });
  });

  it('says that a lease has no end, and gives programs no time of renewal', async () => {
    const endless = { lifetime: 0, goodUntil: Number.POSITIVE_INFINITY, renewAfter: Number.POSITIVE_INFINITY };
    const [people, programs] = [keeping({ json: false }), keeping()];
    for (const { lease, ended, interrupt } of [people, programs]) {
      lease.map(endless);
      interrupt();
      await ended;
    }
    expect(people.recorded.stderr).toContain('a lease without end; Ctrl-C removes the mapping');
    expect(programs.recorded.events[1]).not.toHaveProperty('renewIn');
  });

  it('ends when the gateway has removed the mapping', async () => {
    const removal = new Deferred();
    const { recorded, lease, ended, interrupt } = keeping({ leases: fakeLeases(() => removal.promise) });
    lease.map();
    interrupt();
    const first = await Promise.race([ended, Promise.resolve('still waiting')]);
    expect([first, recorded.events.at(-1)?.event]).toEqual(['still waiting', 'mapped']);
    removal.resolve();
    expect(await ended).toBe(0);
    expect(recorded.events.at(-1)?.event).toBe('released');
  });

  it.each([
    [{}, { endsIn: 3600 }, 'it ends in 3600 s'],
    [{ lifetime: 0, goodUntil: Number.POSITIVE_INFINITY, renewAfter: Number.POSITIVE_INFINITY }, {}, 'it has no end'],
  ])('ends with 1 when the gateway has not confirmed the removal (%o)', async (changes, end, sentence) => {
    const left = { ...leftover({ via: 'pcp', externalPort: 80 }), ...changes };
    for (const json of [true, false]) {
      const { recorded, lease, ended, interrupt } = keeping({ json, noted: [left] });
      lease.map(changes);
      interrupt();
      expect(await ended).toBe(1);
      if (json) {
        expect(recorded.events.at(-1)).toEqual({
          event: 'left',
          protocol: 'tcp',
          external: '203.0.113.7:80',
          ...end,
        });
      } else {
        expect(recorded.stdout.at(-1)).toBe('left tcp 203.0.113.7:80');
        expect(recorded.stderr.at(-1)).toContain(`${sentence}; "sallyport map remove 80 --protocol tcp" removes it`);
      }
    }
  });

  it('ends as well when it is interrupted while it searches, and has nothing to remove', async () => {
    const { recorded, leases, ended, interrupt } = keeping();
    interrupt();
    expect(await ended).toBe(0);
    expect(recorded.events.map(({ event }) => event)).toEqual(['mapping']);
    expect(leases.closed).toBe(true);
  });

  it('tells the leases when the addresses of this host have changed, until it ends', async () => {
    const { leases, changes$, ended, interrupt } = keeping();
    changes$.next();
    changes$.next();
    expect(leases.changes).toBe(2);
    interrupt();
    await ended;
    expect(changes$.observed).toBe(false);
  });
});

describe('addressChanges', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('emits within 5 s of a change, and not without one', () => {
    const interfaces: NetworkInterface[] = [{ name: 'eth0', address: '192.168.0.10', family: 4, internal: false }];
    let changes = 0;
    const watching = addressChanges({ interfaces: () => interfaces }).subscribe(() => changes++);
    vi.advanceTimersByTime(60_000);
    expect(changes).toBe(0);
    interfaces.push({ name: 'wlan0', address: '192.168.1.20', family: 4, internal: false });
    vi.advanceTimersByTime(5_000);
    expect(changes).toBe(1);
    watching.unsubscribe();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe.concurrent('sallyport map', () => {
  const child = new URL('fixtures/map.child.ts', import.meta.url).pathname;
  /** The command in a process of its own, whose gateway is a fake that `behaviour` describes. */
  const map = (behaviour: string, ...args: string[]): RunningCommand =>
    sallyport(['map', '8080', '--json', '--description', behaviour, ...args], { main: child });

  it('ends with 0 by Ctrl-C, the mapping removed', async () => {
    await using command = map('mapped');
    await command.event('mapped');
    command.signal('SIGINT');
    const { code, events, stderr } = await command.ended;
    expect([code, events.at(-1)?.event, stderr]).toEqual([0, 'released', '']);
  }, 60_000);

  it('waits no longer for the gateway after a second Ctrl-C', async () => {
    await using command = map('mapped, never released');
    await command.event('mapped');
    command.signal('SIGINT');
    await command.event('releasing');
    command.signal('SIGINT');
    expect(await command.ended).toMatchObject({ code: null });
  }, 60_000);

  it('ends with 1 when the port is taken and another one will not do', async () => {
    await using command = map('', '--fail-if-taken');
    const end = await command.ended;
    expect([end.code, errorCode(end)]).toEqual([1, 'ERR_MAPPING_CONFLICT']);
    expect(end.events.map(({ event }) => event)).toEqual(['mapping', 'unavailable', 'error']);
  }, 60_000);

  it('ends with 2 when it is called wrongly', async () => {
    const end = await run(['map', '80', '--lifetime', 'soon', '--json']);
    expect([end.code, errorCode(end)]).toEqual([2, 'ERR_USAGE']);
  }, 60_000);
});

describe('the arguments of sallyport map', () => {
  it.each([[['map']], [['map', 'list', '--via', 'pcp']], [['map', 'remove', '80', '--protocol', 'tcp']]])(
    'are taken by %j',
    async (args) => {
      await expect(parse([...args, '--help'])).rejects.toMatchObject({ code: 'commander.helpDisplayed' });
    },
  );

  const parse = (args: readonly string[]): Promise<unknown> => {
    const program = new Command('sallyport').exitOverride();
    program.configureOutput({ writeErr: () => {}, writeOut: () => {} });
    addMap(program, () => {
      throw new Error('no gateway is to be asked');
    });
    return program.parseAsync(args, { from: 'user' });
  };

  it.each([
    ['no port', ['map'], 'missingArgument'],
    ['a port of 0', ['map', '0'], 'invalidArgument'],
    ['a port that is no number', ['map', 'http'], 'invalidArgument'],
    ['an external port out of range', ['map', '80', '65536'], 'invalidArgument'],
    ['a port too many', ['map', '80', '80', '80'], 'excessArguments'],
    ['another protocol', ['map', '80', '--protocol', 'sctp'], 'invalidArgument'],
    ['another way', ['map', '80', '--via', 'ssh'], 'invalidArgument'],
    ['remove without a port', ['map', 'remove'], 'missingArgument'],
    ['remove by another way', ['map', 'remove', '80', '--via', 'ssh'], 'invalidArgument'],
    ['options of list before it', ['map', '--via', 'pcp', 'list'], 'error'],
  ])('are refused: %s', async (_, args, code) => {
    await expect(parse(args)).rejects.toMatchObject({ code: `commander.${code}`, exitCode: 1 });
  });
});
