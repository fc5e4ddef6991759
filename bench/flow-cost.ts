/**
 * What the charts of one connection cost, without sockets, sessions or packets: from its start over a relayed and a direct path to its
 * end, in us of CPU, and what it holds while it is connected, in KiB. With the default flow, with flows of one strategy and of many, and with
 * each strategy's run and environment.
 *
 * Run: `node --expose-gc --import tsx bench/flow-cost.ts [connections, default 3000]`.
 */
import { createActor } from 'xstate';
import { cryptoRandom, nodeNetwork, systemClock } from '../src/adapters/node/index.ts';
import type { Environment } from '../src/core/environment.ts';
import { silentLog } from '../src/core/log.ts';
import { unknownBehavior } from '../src/core/nat-behavior.ts';
import type { PathInfo } from '../src/core/path.ts';
import type { Facts } from '../src/core/strategy.ts';
import {
  type RaceAccounts as Accounts,
  anySide,
  checks,
  defaultFlow,
  defineFlow,
  type Flow,
  interfaces,
  RaceAccounts,
  race,
  relay,
  retry,
  sequence,
  when,
} from '../src/flows/index.ts';
import { defaultConnectionDelays } from '../src/machines/connection-setup.ts';
import { AttemptLog } from '../src/peer/attempt-log.ts';
import { connectionLogic } from '../src/peer/connection-logic.ts';
import type { ConnectionServices } from '../src/peer/connection-services.ts';
import type { ConnectionRuntime } from '../src/peer/runtime-contract.ts';
import { createStrategyHost } from '../src/peer/strategy-host.ts';
import { StrategySlots } from '../src/peer/strategy-slots.ts';

const [count = 3_000] = process.argv.slice(2).map(Number);
const { gc } = globalThis as { gc?: () => void };
if (gc === undefined) throw new Error('run it with --expose-gc');

const flows: Readonly<Record<string, Flow>> = {
  default: defaultFlow,
  'checks, relay': defineFlow({ discover: interfaces(), punch: checks(), fallback: relay() }),
  'ten strategies': defineFlow({
    discover: interfaces(),
    punch: race([
      sequence([when(anySide({ mapping: 'address-dependent' }), checks()), retry(checks(), { times: 3 }), checks()]),
      race([checks(), checks(), sequence([checks(), checks()])], { packets: 100 }),
      sequence([checks(), checks()]),
    ]),
    fallback: race([relay(), relay()], { stagger: 100 }),
  }),
};

const facts: Facts = {
  role: 'dialer',
  policy: 'relay-first',
  local: [],
  remote: [],
  behaviors: { mine: unknownBehavior, theirs: unknownBehavior },
};
const clock = systemClock();
const env = { network: nodeNetwork(), clock, random: cryptoRandom(), log: silentLog } as unknown as Environment;
const relayed = pathOf('relay', 'relayed');
const direct = pathOf('direct', 'direct');
const nothing = (): void => {};

for (const [name, flow] of Object.entries(flows)) {
  await measure(flow, 300);
  const { time, size } = await measure(flow, count);
  console.log(`${name.padEnd(16)} ${time.toFixed(0).padStart(5)} us ${size.toFixed(1).padStart(6)} KiB`);
}

async function measure(flow: Flow, connections: number): Promise<{ time: number; size: number }> {
  const runtimes = new Map<string, ConnectionRuntime>();
  const machine = connectionLogic(flow, runtimes, createStrategyHost(runtimes));
  const begin = (i: number) => {
    const id = `connection ${i}`;
    runtimes.set(id, runtimeOf());
    const actor = createActor(machine, {
      input: { id, role: 'dialer', policy: 'relay-first', delays: defaultConnectionDelays },
      clock,
    });
    actor.start();
    actor.send({ type: 'connection.started' });
    actor.send({ type: 'remote.known' });
    actor.send({ type: 'path.validated', path: relayed });
    actor.send({ type: 'session.established' });
    actor.send({ type: 'path.validated', path: direct });
    return actor;
  };
  const end = (actor: ReturnType<typeof begin>): void => {
    actor.send({ type: 'session.ended', by: 'local', code: 0, reason: '' });
    runtimes.delete(actor.getSnapshot().context.id);
  };

  const before = await heap();
  const startedAt = cpu();
  const actors = Array.from({ length: connections }, (_, i) => begin(i));
  await settled();
  const made = cpu() - startedAt;
  const size = ((await heap()) - before) / 1_024 / connections;
  const endedAt = cpu();
  for (const actor of actors) end(actor);
  await settled();
  const time = (made + cpu() - endedAt) / connections;
  return { time, size };
}

/** A connection whose checks and relays succeed at once. */
function runtimeOf(): ConnectionRuntime {
  const accounts: Accounts = new RaceAccounts();
  const services = {
    facts,
    attempts: new AttemptLog(),
    accounts,
    env,
    elapsed: 0,
    role: 'dialer',
    stun: [],
    ice: { findPath: async () => 'direct' },
    relay: async () => 'relay',
    losePath: nothing,
    link: { table: { has: () => true } },
  } as unknown as ConnectionServices;
  const stop = () => nothing;
  return {
    services,
    signal: stop,
    session: stop,
    gather: stop,
    map: stop,
    watch: stop,
    hedge: stop,
    recover: stop,
    use: nothing,
    punchAgain: nothing,
    slots: new StrategySlots(services),
    handle: nothing,
  } as Partial<ConnectionRuntime> as ConnectionRuntime;
}

function pathOf(id: string, kind: PathInfo['kind']) {
  const info = { id, kind, transport: 'udp', local: 'a', remote: 'b', strategy: 'checks' } as const;
  return { info, preference: 0 };
}

/** us that this process has used. */
function cpu(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** All promises of strategies that have ended are. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Bytes in use, of what is still reachable. */
async function heap(): Promise<number> {
  for (let times = 0; times < 3; times++) {
    await settled();
    gc?.();
  }
  return process.memoryUsage().heapUsed;
}
