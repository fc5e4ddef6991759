import type { Candidate } from '../../../src/core/candidate.ts';
import { endpoint } from '../../../src/core/endpoint.ts';
import { createIceAgent, type IceAgentOptions, type IceEvent } from '../../../src/protocol/ice/index.ts';
import { seededRandom } from '../../seeded-random.ts';
import { candidate, type Host, Internet, type Nat, signalled } from './internet.ts';

export const LEFT = { ufrag: 'left', pwd: 'left-password-of-22-chars' };
export const RIGHT = { ufrag: 'right', pwd: 'right-password-of-22-chars' };

/** As two Sallyports talk to each other. */
const FAST = { ta: 5, burst: 4, rto: 200, nomination: 'deferred' } as const;

/** Options of the controlling agent on the left; the right one is its mirror image. */
export function leftOptions(more: Partial<IceAgentOptions> = {}): IceAgentOptions {
  const random = seededRandom(11);
  return { role: 'controlling', tieBreaker: 2n, local: LEFT, remote: RIGHT, random, ...FAST, ...more };
}

export function rightOptions(more: Partial<IceAgentOptions> = {}): IceAgentOptions {
  const random = seededRandom(12);
  return { role: 'controlled', tieBreaker: 1n, local: RIGHT, remote: LEFT, random, ...FAST, ...more };
}

export interface Meeting {
  readonly internet: Internet;
  readonly left: Host;
  readonly right: Host;
}

/** Two hosts, each behind a NAT unless it is absent. */
export function meeting(
  options: {
    delay?: number;
    loss?: number;
    seed?: number;
    leftNat?: Nat;
    rightNat?: Nat;
    leftMore?: Partial<IceAgentOptions>;
    rightMore?: Partial<IceAgentOptions>;
  } = {},
): Meeting {
  const { delay = 40, loss = 0, seed = 7 } = options;
  const internet = new Internet({ delay, loss, random: seededRandom(seed) });
  const left = internet.join({
    name: 'left',
    agent: createIceAgent(leftOptions(options.leftMore)),
    at: options.leftNat ? endpoint('192.168.1.2', 5000) : endpoint('198.51.100.2', 5000),
    ...(options.leftNat && { nat: options.leftNat }),
  });
  const right = internet.join({
    name: 'right',
    agent: createIceAgent(rightOptions(options.rightMore)),
    at: options.rightNat ? endpoint('10.0.0.2', 6000) : endpoint('203.0.113.2', 6000),
    ...(options.rightNat && { nat: options.rightNat }),
  });
  return { internet, left, right };
}

export const LEFT_NAT: Nat = { address: '198.51.100.1', mapping: 0, filtering: 2 };
export const RIGHT_NAT: Nat = { address: '203.0.113.1', mapping: 0, filtering: 2 };

/** Host and, behind a NAT, server-reflexive candidate. */
export function candidatesOf(internet: Internet, host: Host): Candidate[] {
  const own = candidate('host', host.at);
  return host.nat === undefined ? [own] : [own, candidate('srflx', internet.reflexive(host), host.at)];
}

/** Gives a host its own candidates and the other one's, as signalling would, and starts it. */
export function introduce(
  internet: Internet,
  host: Host,
  own: readonly Candidate[],
  theirs: readonly Candidate[],
): void {
  for (const one of own) host.agent.handle({ type: 'local-candidate', candidate: one }, internet.now);
  for (const one of theirs) {
    host.agent.handle({ type: 'remote-candidate', candidate: signalled(one) }, internet.now);
  }
  host.agent.handle({ type: 'end-of-candidates', side: 'local' }, internet.now);
  internet.feed(host, { type: 'end-of-candidates', side: 'remote' });
}

/** Both know everything at once. */
export function introduceBoth({ internet, left, right }: Meeting): void {
  const ofLeft = candidatesOf(internet, left);
  const ofRight = candidatesOf(internet, right);
  introduce(internet, left, ofLeft, ofRight);
  introduce(internet, right, ofRight, ofLeft);
}

export function eventsOf<T extends IceEvent['type']>(
  host: Host,
  type: T,
): { readonly t: number; readonly event: Extract<IceEvent, { type: T }> }[] {
  return host.events.flatMap(({ t, event }) =>
    event.type === type ? [{ t, event: event as Extract<IceEvent, { type: T }> }] : [],
  );
}
