import { describe, expect, it } from 'vitest';
import { turnRelay } from '../../src/adapters/relay/turn.ts';
import type { Candidate } from '../../src/core/candidate.ts';
import { formatEndpoint, isReachableUnicast, parseEndpoint } from '../../src/core/endpoint.ts';
import { pause } from '../../src/core/pause.ts';
import { isPrintable } from '../../src/core/printable.ts';
import type { Verdict } from '../../src/core/verdict.ts';
import { checks, defineFlow, interfaces, relay, sequence, stun, turn } from '../../src/flows/index.ts';
import {
  attribute,
  BINDING,
  decodeMessage,
  type EncodableAttribute,
  encodeMessage,
  longTermKey,
} from '../../src/protocol/stun/index.ts';
import { type SimulatedVictims, simulatedVictims } from './simulated-victims.ts';

/** All that could carry a false address to the other side: by itself, and with others. */
const flow = defineFlow({
  discover: [interfaces(), stun()],
  punch: checks(),
  fallback: sequence([turn(), relay()]),
});

const FALSE = ['198.51.100.1:0', '127.0.0.1:22', '224.0.0.1:5000', '255.255.255.255:5000', '0.0.0.0:5000'];

/** The owner of the host `evil` answers all that it is asked over UDP with these; of TURN, it knows the password. */
function evilServer(
  { world }: SimulatedVictims,
  ending: 'success' | 'error',
  attributes: readonly EncodableAttribute[],
) {
  const counts = { asked: 0 };
  const socket = world.host('evil', { addresses: ['203.0.113.66'] }).udp.bind({ family: 4, port: 3478 });
  socket.onDatagram = (data, from) => {
    counts.asked++;
    const request = decodeMessage(data);
    const { method, transactionId } = request;
    const answer = { class: ending, method, transactionId, attributes } as const;
    if (method === BINDING || ending === 'error') socket.send(encodeMessage(answer), from);
    else if (attribute(request, 'username') === undefined) {
      socket.send(encodeMessage({ ...answer, class: 'error', attributes: CHALLENGE }), from);
    } else socket.send(encodeMessage(answer, { integrityKey: longTermKey(USER, REALM, PASSWORD) }), from);
  };
  return counts;
}

const USER = 'alice';
const PASSWORD = 'wonderland';
const REALM = 'evil';
const CHALLENGE: readonly EncodableAttribute[] = [
  { type: 'error-code', code: 401, reason: 'Unauthorized' },
  { type: 'realm', value: REALM },
  { type: 'nonce', value: 'n' },
];

interface Aftermath {
  readonly verdict: Verdict;
  /** What both sides have told each other. */
  readonly told: readonly Pick<Candidate, 'endpoint'>[];
  readonly dropped: readonly unknown[];
}

/** Both sides ask that server for their addresses, or for one at a relay. */
async function meetWith(victims: SimulatedVictims, evil: 'stun' | 'turn'): Promise<Aftermath> {
  const dropped: unknown[] = [];
  const log = (event: string, details?: Readonly<Record<string, unknown>>): void => {
    if (event === 'envelope.dropped') dropped.push(details);
  };
  const env =
    evil === 'stun'
      ? { stun: ['evil:3478'] }
      : { stun: ['meet:3478'], relays: [turnRelay(`turn:${USER}:${PASSWORD}@evil:3478`)] };
  let aftermath: Aftermath | undefined;
  await victims.meet({ dialer: flow, listener: flow, env: { ...env, log } }, async ({ here, there }) => {
    await pause(victims.world.clock, 6_000);
    await Promise.all([here.close(), there.close()]);
    const [verdict, other] = await Promise.all([here.verdict, there.verdict]);
    aftermath = { verdict, told: [verdict, other].flatMap(({ candidates }) => candidates.remote), dropped };
  });
  return aftermath!;
}

describe('a server that is asked for addresses', () => {
  it.each(FALSE)(
    'of STUN that sees %s keeps no candidate from the other side, and has it told nowhere',
    async (text) => {
      const victims = simulatedVictims();
      const at = parseEndpoint(text)!;
      const counts = evilServer(victims, 'success', [{ type: 'xor-mapped-address', endpoint: at }]);
      const { verdict, told, dropped } = await meetWith(victims, 'stun');
      expect(counts.asked).toBeGreaterThan(0);
      expect(dropped).toEqual([]);
      expect(verdict.outcome).toBe('relayed');
      expect(told.length).toBeGreaterThan(0);
      expect(told.every(({ endpoint }) => isReachableUnicast(endpoint))).toBe(true);
    },
  );

  it.each(FALSE)(
    'of TURN that lends %s keeps no candidate from the other side, and has it told nowhere',
    async (text) => {
      const victims = simulatedVictims();
      const attributes: EncodableAttribute[] = [
        { type: 'xor-relayed-address', endpoint: parseEndpoint(text)! },
        { type: 'xor-mapped-address', endpoint: parseEndpoint('198.51.100.9:1234')! },
        { type: 'lifetime', value: 600 },
      ];
      const counts = evilServer(victims, 'success', attributes);
      const { verdict, told, dropped } = await meetWith(victims, 'turn');
      expect(counts.asked).toBeGreaterThan(0);
      expect(dropped).toEqual([]);
      expect(verdict.outcome).toBe('direct');
      expect(told.map(({ endpoint }) => formatEndpoint(endpoint))).not.toContain(text);
      const attempt = verdict.attempts.find(({ strategy }) => strategy === 'turn');
      expect(attempt?.reason).toContain('its answers make no sense');
    },
  );

  it('paints no terminal by the reason that it gives for its refusal', async () => {
    const victims = simulatedVictims();
    const reason = '\u001b[2J\u001b]0;owned\u0007 go\naway\u202e';
    const counts = evilServer(victims, 'error', [{ type: 'error-code', code: 499, reason }]);
    const { verdict } = await meetWith(victims, 'turn');
    expect(counts.asked).toBeGreaterThan(0);
    const { reason: shown } = verdict.attempts.find(({ strategy }) => strategy === 'turn')!;
    expect(shown).toContain('refused with 499 [2J]0;owned go away');
    expect(isPrintable(shown)).toBe(true);
  });
});
