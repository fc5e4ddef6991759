import {
  type Candidate,
  type CandidateTransport,
  type CandidateType,
  transportOf,
  UDP,
} from '../../../src/core/candidate.ts';
import { type Endpoint, endpoint } from '../../../src/core/endpoint.ts';
import { createIceAgent, type IceRole } from '../../../src/protocol/ice/index.ts';
import { encodeMessage, shortTermKey } from '../../../src/protocol/stun/index.ts';
import { candidate, signalled } from '../../protocol/ice/internet.ts';
import { checkFromRight, PRIORITY, responseFromRight } from '../../protocol/ice/messages.ts';
import { LEFT, leftOptions, RIGHT } from '../../protocol/ice/pair-of-agents.ts';
import { seededChance } from '../engine/chance.ts';
import { mutateBytes } from '../engine/mutate-bytes.ts';
import { mutateStun } from '../engine/mutate-stun.ts';
import { readScript, type Script } from '../engine/script.ts';
import { signStun } from '../engine/sign-stun.ts';
import type { Target } from '../engine/target.ts';
import { type WatchedAgent, watchAgent } from './ice-watch.ts';

const HERE = endpoint('192.168.1.2', 5000);
const HERE_6 = endpoint('2001:db8::2', 5000);
const THERE = endpoint('203.0.113.2', 6000);
const STRANGER = endpoint('198.51.100.66', 6666);
const leftKey = shortTermKey(LEFT.pwd);
const rightKey = shortTermKey(RIGHT.pwd);
const USERNAME = `${LEFT.ufrag}:${RIGHT.ufrag}`;
const ROLES: readonly IceRole[] = ['controlling', 'controlled'];

function freshAgent(role: IceRole, nomination: 'deferred' | 'regular' = 'deferred'): WatchedAgent {
  return watchAgent(createIceAgent(leftOptions({ role, nomination, random: seededChance(3) })));
}

const id = { transactionId: new Uint8Array(12).fill(9) };
const mapped = { type: 'xor-mapped-address', endpoint: endpoint('198.51.100.1', 40_000) } as const;

const checks: readonly Uint8Array[] = [
  checkFromRight(),
  checkFromRight({ attributes: [PRIORITY, { type: 'ice-controlling', tieBreaker: 9n }, { type: 'use-candidate' }] }),
  checkFromRight({ attributes: [PRIORITY, { type: 'ice-controlling', tieBreaker: 0n }] }),
  checkFromRight({ attributes: [] }),
  responseFromRight(id, [mapped]),
  responseFromRight(id, [{ type: 'error-code', code: 487, reason: 'Role Conflict' }], { kind: 'error' }),
  responseFromRight(
    id,
    [
      { type: 'error-code', code: 400, reason: '' },
      { type: 'unknown-attributes', types: [1] },
    ],
    { kind: 'error' },
  ),
  encodeMessage({ class: 'indication', method: 1, ...id, attributes: [] }, { fingerprint: true }),
];

/** One message to an agent in the midst of its checks: as it is, as the answer to a check, and as a check, the latter two signed. */
export const iceMessage: Target = {
  name: 'ice-message',
  share: 0.3,
  seeds: checks,
  mutate: mutateStun,
  run: (input) => ROLES.map((role) => receiveAll(input, role)).join(' / '),
};

function receiveAll(input: Uint8Array, role: IceRole): string {
  const agent = freshAgent(role);
  agent.handle({ type: 'local-candidate', candidate: candidate('host', HERE) });
  agent.handle({ type: 'remote-candidate', candidate: signalled(candidate('host', THERE)) });
  const [check] = agent.requests;
  const understood = agent.receive(input, STRANGER, HERE);
  if (check !== undefined)
    agent.receive(signStun(input, { key: rightKey, transactionId: check.transactionId }), THERE, HERE);
  agent.receive(signStun(input, { key: leftKey, username: USERNAME }), STRANGER, HERE);
  agent.advance(1000);
  return `${understood ? 'STUN' : 'none'}: ${eventsOf(agent)}`;
}

function eventsOf({ events }: WatchedAgent): string {
  return events.size === 0 ? 'no event' : [...events.keys()].sort().join(' ');
}

/** Any order of everything that an agent may be told, by ourselves, by signalling and by the network. */
export const iceSequence: Target = {
  name: 'ice-sequence',
  share: 0.08,
  seeds: Array.from({ length: 16 }, (_, seed) => seededChance(seed).bytes(200)),
  mutate: mutateBytes,
  run(input) {
    const script = readScript(input);
    const agent = freshAgent(script.pick(ROLES), script.pick(['deferred', 'regular']));
    for (let steps = 0; steps < MAX_STEPS && !script.done; steps++) step(script, agent);
    agent.advance(60_000);
    return eventsOf(agent);
  },
};

function step(script: Script, agent: WatchedAgent): void {
  switch (script.below(13)) {
    case 0:
      agent.handle({ type: 'local-candidate', candidate: readCandidate(script, script.pick(BASES)) });
      break;
    case 1:
    case 2: {
      const candidate = { ...signalled(readCandidate(script)), priority: script.pick(PRIORITIES) };
      agent.handle({ type: 'remote-candidate', candidate });
      break;
    }
    case 3:
      agent.handle({ type: 'end-of-candidates', side: script.pick(['local', 'remote']) });
      break;
    case 4:
      agent.handle({ type: 'use', pairIds: [readPair(script, agent)] });
      break;
    case 5:
      agent.handle({ type: script.pick(['check', 'nominate']), pairId: readPair(script, agent) });
      break;
    case 6:
    case 7:
      agent.advance(script.pick([0, 1, 5, 50, 200, 500, 5000, 31_000]));
      break;
    case 8: {
      const { to, base } = latestRequest(script, agent) ?? { to: THERE, base: HERE };
      agent.handle({ ...script.pick(TRANSPORTS), type: 'disconnected', base, to });
      break;
    }
    default:
      receive(script, agent);
  }
}

/** A message of the corpus with a few bytes of its attributes written over, signed or not, from the address asked or from another. */
function receive(script: Script, agent: WatchedAgent): void {
  const message = Uint8Array.from(script.pick(checks));
  for (let changes = script.below(3); changes > 0; changes--) {
    message[20 + script.below(message.length - 20)] = script.byte();
  }
  const request = latestRequest(script, agent);
  const base = request?.base ?? HERE;
  const isAnswer = request !== undefined && script.below(4) > 0;
  const from = isAnswer ? request.to : readRemote(script);
  const transport = isAnswer ? transportOf(request) : script.pick(TRANSPORTS);
  const signing = script.pick([
    { key: leftKey, username: USERNAME },
    { key: rightKey, ...(request && { transactionId: request.transactionId }) },
    undefined,
  ]);
  agent.receive(signing === undefined ? message : signStun(message, signing), from, base, transport);
}

function latestRequest(script: Script, agent: WatchedAgent): (typeof agent.requests)[number] | undefined {
  return agent.requests.at(-1 - script.below(8));
}

function readPair(script: Script, agent: WatchedAgent): string {
  return agent.pairs[script.below(16)] ?? 'no pair';
}

function readCandidate(script: Script, base?: Endpoint): Candidate {
  const made = candidate(script.pick(TYPES), readRemote(script), base);
  const transport = script.pick(TRANSPORTS);
  return transport.transport === 'udp' ? made : { ...made, ...transport };
}

/** Mostly addresses that may be sent to; all kinds of those that may not. */
function readRemote(script: Script): Endpoint {
  if (script.below(4) === 0) return endpoint(script.pick(FORBIDDEN), script.pick([0, 9, 6000]));
  return script.pick([
    THERE,
    STRANGER,
    HERE,
    endpoint('2001:db8::7', 6000),
    endpoint(`198.51.100.${script.byte()}`, 1 + script.byte()),
  ]);
}

const TRANSPORTS: readonly CandidateTransport[] = [
  UDP,
  UDP,
  UDP,
  { transport: 'tcp', tcpType: 'active' },
  { transport: 'tcp', tcpType: 'passive' },
  { transport: 'tcp', tcpType: 'so' },
];
const TYPES: readonly CandidateType[] = ['host', 'srflx', 'prflx', 'mapped', 'relay'];
const BASES: readonly Endpoint[] = [HERE, HERE_6, endpoint('10.0.0.2', 5000), endpoint('10.0.0.2', 5001)];
const PRIORITIES: readonly number[] = [1, 2 ** 24, 2 ** 31 - 1, 0, -1, 2 ** 31, 0.5, Number.NaN, 1_694_498_815];
const FORBIDDEN: readonly string[] = [
  '127.0.0.1',
  '0.0.0.0',
  '0.1.2.3',
  '255.255.255.255',
  '224.0.0.1',
  '239.255.255.250',
  '::',
  '::1',
  'ff02::1',
  '::ffff:127.0.0.1',
  'fe80::1',
];
const MAX_STEPS = 120;
