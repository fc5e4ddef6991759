import { type CandidateTransport, UDP } from '../../../src/core/candidate.ts';
import { type Endpoint, formatEndpoint, isReachableUnicast } from '../../../src/core/endpoint.ts';
import type { IceAgent, IceInput, IceOutput } from '../../../src/protocol/ice/index.ts';
import { decodeMessage } from '../../../src/protocol/stun/index.ts';
import { attempt, must } from '../engine/target.ts';

type Transmit = Extract<IceOutput, { type: 'transmit' }>;

/** An agent with its clock, under whose eyes all that was promised of an agent must hold. */
export interface WatchedAgent {
  readonly now: number;
  /** The requests of the agent, the latest last; at most {@link MAX_KEPT} of them. */
  readonly requests: readonly Transmit[];
  /** How many events of each type there were. */
  readonly events: ReadonlyMap<string, number>;
  /** Ids of the pairs that there are. */
  readonly pairs: readonly string[];
  handle(input: IceInput): void;
  /** Hands in bytes from the network, over UDP unless told otherwise; false when they are no STUN message. */
  receive(bytes: Uint8Array, from: Endpoint, base: Endpoint, transport?: CandidateTransport): boolean;
  /** Moves time on by `ms`, with all that falls due. */
  advance(ms: number): void;
}

/**
 * Throws `BrokenPromise` when the agent does not rest, waits for a time that has passed, sends to an address that is forbidden or too often
 * to one that never answered, answers one message by two, answers a stranger by more than twice its bytes, or outgrows its tables.
 */
export function watchAgent(agent: IceAgent): WatchedAgent {
  const requests: Transmit[] = [];
  const events = new Map<string, number>();
  /** Requests to each address since something that could be an answer came from it. */
  const unanswered = new Map<string, number>();
  let now = 0;
  let wake: number | undefined;
  let pairIds: readonly string[] = [];
  /** Responses that the message under way may bring about, and the bytes on the wire that they may have. */
  let mayAnswer = 0;
  let mayAnswerBytes = 0;

  function settle(): void {
    for (let outputs = 0; ; outputs++) {
      must(outputs < MAX_OUTPUTS, 'an agent comes to rest');
      const output = agent.poll(now);
      if (output.type === 'wait') {
        wake = output.until;
        break;
      }
      if (output.type === 'transmit') sent(output);
      if (output.type === 'event') events.set(output.event.type, (events.get(output.event.type) ?? 0) + 1);
    }
    must(wake === undefined || wake > now, 'an agent waits for a time to come', () => [wake, now]);
    const { remote, pairs } = agent.snapshot();
    must(remote.length <= MAX_REMOTES, 'remote candidates are bounded', () => remote.length);
    must(pairs.length <= MAX_PAIRS, 'pairs are bounded', () => pairs.length);
    pairIds = pairs.map(({ id }) => id);
  }

  function sent(output: Transmit): void {
    must(isReachableUnicast(output.to), 'nothing is sent to a forbidden address', () => output.to);
    if (!output.request) {
      must(mayAnswer-- > 0, 'a message is answered once');
      must(
        output.verified || WIRE + output.bytes.length <= 2 * mayAnswerBytes,
        'a stranger gets at most twice its bytes',
      );
      return;
    }
    const key = formatEndpoint(output.to);
    const count = (unanswered.get(key) ?? 0) + 1;
    unanswered.set(key, count);
    must(count <= MAX_UNANSWERED, 'an address that does not answer gets a bounded number of requests', () => count);
    requests.push(output);
    if (requests.length > MAX_KEPT) requests.shift();
  }

  return {
    requests,
    events,
    get now() {
      return now;
    },
    get pairs() {
      return pairIds;
    },
    handle(input) {
      agent.handle(input, now);
      settle();
    },
    receive(bytes, from, base, transport = UDP) {
      const decoded = attempt(() => decodeMessage(bytes));
      if ('outcome' in decoded) return false;
      mayAnswer = decoded.value.class === 'request' ? 1 : 0;
      mayAnswerBytes = WIRE + bytes.length;
      if (decoded.value.class === 'success' || decoded.value.class === 'error') unanswered.delete(formatEndpoint(from));
      agent.handle({ ...transport, type: 'message', message: decoded.value, from, base }, now);
      settle();
      mayAnswer = 0;
      return true;
    },
    advance(ms) {
      const end = now + ms;
      for (let wakes = 0; wake !== undefined && wake <= end; wakes++) {
        must(wakes < MAX_WAKES, 'an agent does not wake without end');
        now = wake;
        settle();
      }
      now = end;
    },
  };
}

/** Bytes of the IPv4 and UDP headers. */
const WIRE = 28;
const MAX_KEPT = 32;
/** 32 signalled and 32 peer-reflexive ones. */
const MAX_REMOTES = 64;
/** RFC 8445 section 6.1.2.5. */
const MAX_PAIRS = 100;
const MAX_OUTPUTS = 2000;
const MAX_WAKES = 20_000;
/** 32 checks, and the consent checks of a pair that was valid until it is lost. */
const MAX_UNANSWERED = 64;
