import { formatEndpoint } from '../core/endpoint.ts';
import type { ConnectionState, NatBehavior, PathInfo, Reachability } from '../index.ts';
import type { Pong, RunEvent, WorldEvent } from '../sim.ts';
import { colors } from './colors.ts';

/** Tells a run while it happens, as lines for people: when, who, what. */
export class DemoStory {
  readonly #print: (line: string) => void;
  /** What was told of each peer, so that nothing is told twice. */
  readonly #told = new Set<string>();
  /** States that came at the present moment, by peer: only the last one is told. */
  readonly #states = new Map<string, ConnectionState>();
  #now = 0;
  /** The last round trip that was told. */
  #pong: Pong | undefined;

  constructor(print: (line: string) => void) {
    this.#print = print;
    print('\nBoth find out where they are');
  }

  see(event: RunEvent): void {
    if (event.at > this.#now) this.#tellStates();
    this.#now = event.at;
    switch (event.type) {
      case 'reachability':
        this.#reachability(event.who, event.reachability);
        break;
      case 'listening':
        this.#say(event.who, 'is registered with the server, and has a ticket to hand out');
        break;
      case 'dialed':
        this.#print(`\n${event.who} dials ${event.to} by its ticket`);
        break;
      case 'state':
        this.#states.set(event.who, event.state);
        break;
      case 'path':
        this.#say(event.who, pathText(event.path));
        break;
      case 'ready':
        this.#say(event.who, colors.bold('has the session: both keys are proven'));
        break;
      case 'exhausted':
        this.#say(event.who, 'has tried all pairs of addresses in vain');
        break;
      case 'echo':
        this.#say(event.who, 'hears its first words come back');
        break;
      case 'pong':
        this.#ping(event.who, event.pong);
        break;
      case 'world':
        this.#tellStates();
        this.#print(`\n${worldText(event.event)}`);
        break;
      default:
      // Packets, charts and logs are for the trace; verdicts are told at the end.
    }
  }

  /** What the last moment has left to tell. */
  end(): void {
    this.#tellStates();
  }

  #reachability(who: string, { candidates, behavior }: Reachability): void {
    for (const { transport, type, endpoint } of candidates) {
      if (transport === 'udp') this.#once(who, `${CANDIDATES[type]} ${formatEndpoint(endpoint)}`);
    }
    const nat = behaviorText(behavior);
    if (nat !== undefined) this.#once(who, nat);
  }

  /** Round trips are told when they begin, when the path is another, and when one took far longer than those before. */
  #ping(who: string, pong: Pong): void {
    const usual = this.#pong;
    if (usual !== undefined && usual.kind === pong.kind && pong.rtt < 2 * usual.rtt && usual.rtt < 2 * pong.rtt) return;
    this.#pong = pong;
    this.#say(who, `ping ${pong.seq} is back after ${ms(pong.rtt)}, ${pong.kind}`);
  }

  #tellStates(): void {
    for (const [who, state] of this.#states) this.#say(who, colors.dim(stateText(state)));
    this.#states.clear();
  }

  #once(who: string, what: string): void {
    const fact = `${who} ${what}`;
    if (!this.#told.has(fact)) this.#say(who, what);
    this.#told.add(fact);
  }

  #say(who: string, what: string): void {
    this.#print(`${colors.dim(this.#now.toFixed(1).padStart(9))}  ${who.padEnd(3)} ${what}`);
  }
}

const CANDIDATES = {
  host: 'is at',
  srflx: 'is seen by the server at',
  mapped: 'is mapped by its router to',
  prflx: 'is seen by the other at',
  relay: 'is relayed at',
} as const;

function behaviorText({ mapping, translated, portPreservation }: NatBehavior): string | undefined {
  if (translated === false) return 'finds no NAT in its way';
  if (mapping === 'unknown') return undefined;
  const ports = portPreservation === true ? ', ports kept' : portPreservation === false ? ', other ports' : '';
  return `finds its NAT to have ${mapping} mapping${ports}`;
}

function pathText(path: PathInfo | undefined): string {
  if (path === undefined) return colors.yellow('has no path left');
  const { kind, transport, remote, rtt } = path;
  if (kind === 'relayed') return colors.yellow(`sends through the relay, ${remote}`);
  const trip = rtt === undefined ? '' : `, round trip ${ms(rtt)}`;
  return colors.green(`sends directly, ${transport} to ${remote}${trip}`);
}

/** `connected: path direct, liveness fresh`. */
function stateText(state: unknown): string {
  if (typeof state === 'string') return state;
  const regions = Object.entries(state as Readonly<Record<string, unknown>>);
  return regions.map(([name, inner]) => `${name}: ${regionsText(inner)}`).join(', ');
}

function regionsText(inner: unknown): string {
  if (typeof inner === 'string') return inner;
  return Object.entries(inner as Readonly<Record<string, unknown>>)
    .map(([name, value]) => `${name} ${regionsText(value)}`)
    .join(', ');
}

function worldText(event: WorldEvent): string {
  switch (event.type) {
    case 'rebind':
      return `The NAT of ${event.network} forgets its mappings, and gives out other ports`;
    case 'readdress':
      return `The router of ${event.network} gets another address`;
    case 'link':
      return `The cable of ${event.host ?? event.network} is ${event.state === 'up' ? 'in again' : 'pulled'}`;
    default:
      return `${event.type} happens`;
  }
}

export function ms(time: number): string {
  return `${Number(time.toFixed(1))} ms`;
}
