import { randomBytes } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { endpoint, formatEndpoint } from '../../src/core/endpoint.ts';
import { attribute, transactionKey } from '../../src/protocol/stun/index.ts';
import { createWorld } from '../peer/world.ts';
import { startHeartbeat } from './heartbeat.ts';
import { type HostileNetwork, hostileNetwork, type Sniffed } from './hostile-network.ts';
import { answerTo, checkOf, errorTo, openOffPath } from './off-path.ts';
import { untilDirect } from './siege.ts';
import { otherSide, SIDES, type Side, type Target, target } from './target.ts';
import { connected, EXCHANGED, exchange } from './victims.ts';

const nowhere = endpoint('127.0.0.1', 9);
const WRONG = 'a password of nobody’s';

/** The checks that this side has heard and answered; those from before it knew of the connection were nobody's. */
function answeredChecks({ networks }: Target, side: Side): readonly Sniffed[] {
  const ids = (at: Side, kind: 'request' | 'success') =>
    networks[at].sniffed.flatMap((one) =>
      one.stun?.class === kind ? [{ one, id: transactionKey(one.stun.transactionId) }] : [],
    );
  const answered = new Set(ids(side, 'success').map(({ id }) => id));
  return ids(otherSide(side), 'request').flatMap(({ one, id }) => (answered.has(id) ? [one] : []));
}

const bytesOf = (datagrams: readonly Uint8Array[]): number => datagrams.reduce((sum, { length }) => sum + length, 0);

describe.concurrent('an attacker off the path who knows the ports', () => {
  it.each<[string, number, (target: Target, side: Side) => Uint8Array]>([
    ['checks for an agent that there is not', 0, () => checkOf({ username: 'nobody:nobody', pwd: WRONG })],
    [
      'checks by the right name, not signed',
      400,
      ({ checkFor }, side) => checkOf({ username: checkFor(side).username }),
    ],
    [
      'checks by the right name, signed with another password',
      400,
      ({ checkFor }, side) => checkOf({ username: checkFor(side).username, pwd: WRONG }),
    ],
    ['responses to no request', 0, () => answerTo({ transactionId: randomBytes(12) }, nowhere, WRONG)],
    [
      'responses to no request, signed with the right password',
      0,
      ({ pwdOf }, side) => answerTo({ transactionId: randomBytes(12) }, nowhere, pwdOf(otherSide(side))),
    ],
    [
      'error responses to no request, signed with the right password',
      0,
      ({ pwdOf }, side) => errorTo({ transactionId: randomBytes(12) }, 403, pwdOf(otherSide(side))),
    ],
  ])('gets nothing for %s', async (_, refusals, forge) => {
    await using world = createWorld();
    const pair = await target(world);
    const attacker = await openOffPath();
    const beat = await startHeartbeat(pair);
    const before = new Map(SIDES.map((side) => [side, pair.pathOf(side)]));
    for (const side of SIDES) {
      const { victim, forge: forgeFrom } = pair.networks[side];
      for (let i = 0; i < 200; i++) {
        attacker.send(forge(pair, side), victim);
        forgeFrom({ data: forge(pair, side), from: pair.networks[otherSide(side)].victim });
      }
    }
    // What follows on the same socket is read after all of that.
    for (const side of SIDES)
      attacker.send(checkOf({ username: pair.checkFor(side).username }), pair.networks[side].victim);
    await vi.waitFor(() => expect(attacker.heard).toHaveLength(refusals + 2), { timeout: 5000 });
    // Whoever names the agent and does not prove the password is told so, in fewer bytes than it sent.
    for (const { stun } of attacker.heard) expect(stun?.class).toBe('error');
    await beat.stop();
    for (const side of SIDES) expect(pair.pathOf(side)).toEqual(before.get(side));
    expect(await exchange(pair)).toEqual(EXCHANGED);
    attacker.close();
  });
});

describe.concurrent('an attacker who has seen true checks', () => {
  it('and repeats them from its own address gets an answer about itself, and no data', async () => {
    await using world = createWorld();
    const pair = await target(world);
    const attacker = await openOffPath();
    const beat = await startHeartbeat(pair);
    const sent: Uint8Array[] = [];
    for (const side of SIDES) {
      const checks = answeredChecks(pair, side);
      expect(checks.length).toBeGreaterThan(0);
      for (let i = 0; i < 20; i++) {
        for (const { data } of checks) {
          attacker.send(data, pair.networks[side].victim);
          sent.push(data);
        }
      }
    }
    await vi.waitFor(() => {
      const answers = attacker.heard.flatMap(({ stun }) => (stun?.class === 'success' ? [stun] : []));
      expect(answers.length).toBeGreaterThan(0);
      for (const answer of answers) {
        expect(attribute(answer, 'xor-mapped-address')?.endpoint).toEqual(attacker.address);
      }
    });
    const beats = beat.beats;
    await vi.waitFor(() => expect(beat.beats).toBeGreaterThan(beats + 20), { timeout: 5000 });
    await beat.stop();
    // It is asked nothing, so no path leads to it; and in another's name it would send that one less than it sends itself.
    expect(attacker.heard.filter(({ stun }) => stun?.class !== 'success')).toEqual([]);
    expect(bytesOf(attacker.heard.map(({ data }) => data))).toBeLessThanOrEqual(bytesOf(sent));
    for (const side of SIDES) {
      expect(pair.pathOf(side)?.remote).toBe(formatEndpoint(pair.networks[otherSide(side)].victim));
    }
    attacker.close();
  });
});

describe.concurrent('an attacker who sees each check and is quicker than its answer', () => {
  it.each<[string, (request: Parameters<typeof answerTo>[0]) => Uint8Array]>([
    ['success, with another password', (request) => answerTo(request, nowhere, WRONG)],
    ['401, not signed', (request) => errorTo(request, 401)],
    ['400, not signed', (request) => errorTo(request, 400)],
    ['403 (consent is withdrawn), not signed', (request) => errorTo(request, 403)],
    ['487 (role conflict), not signed', (request) => errorTo(request, 487)],
    ['487 (role conflict), with another password', (request) => errorTo(request, 487, WRONG)],
  ])('keeps no path from being found by %s', async (_, forge) => {
    await using world = createWorld();
    const networks = [hostileNetwork(), hostileNetwork()] as const;
    let forged = 0;
    const race = (network: HostileNetwork): void => {
      network.intercept = ({ stun, to }) => {
        if (stun?.class === 'request') {
          forged++;
          network.forge({ data: forge(stun), from: to });
          network.forge({ data: forge(stun), from: nowhere });
        }
        return false;
      };
    };
    networks.forEach(race);
    const pair = await connected(world, {
      listener: { env: { network: networks[0] }, policy: 'direct-only' },
      dialer: { env: { network: networks[1] }, policy: 'direct-only' },
    });
    await untilDirect(pair);
    expect(forged).toBeGreaterThanOrEqual(2);
    expect(await exchange(pair)).toEqual(EXCHANGED);
  });
});
