import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { sameEndpoint } from '../../src/core/endpoint.ts';
import { CHECK_BUDGET } from '../../src/protocol/ice/check-budget.ts';
import { createWorld } from '../peer/world.ts';
import { startHeartbeat } from './heartbeat.ts';
import { answerTo, checkOf, HIGHEST_PRIORITY, type OffPath, openOffPath } from './off-path.ts';
import { otherSide, SIDES, type Side, type Target, target } from './target.ts';
import { EXCHANGED, exchange } from './victims.ts';

/** How long an attack is kept up, in ms. */
const SIEGE = 2000;
/** The longest that data may be held up, in ms. On a quiet machine it is a tenth of this; an attack that works lasts to the end. */
const BEARABLE = 1500;

/** Answers every check of the victims as the side would that they are meant for. */
function answerChecks(attacker: OffPath, { pwdOf, networks }: Target): void {
  attacker.datagrams$.subscribe(({ stun, from }) => {
    if (stun?.class !== 'request') return;
    const asker: Side = sameEndpoint(from, networks.listener.victim) ? 'listener' : 'dialer';
    attacker.send(answerTo(stun, from, pwdOf(otherSide(asker))), from);
  });
}

const quicAt = ({ heard }: OffPath): number => heard.filter(({ data }) => data[0]! >= 0x40).length;

/** Makes this side send to the attacker: fulfils when it does. */
async function takeOver(attacker: OffPath, { checkFor, networks, pathOf }: Target, side: Side): Promise<void> {
  await vi.waitFor(
    () => {
      attacker.send(checkOf(checkFor(side)), networks[side].victim);
      expect(pathOf(side)?.remote).toBe(`127.0.0.1:${attacker.address.port}`);
    },
    { timeout: 5000 },
  );
}

describe('an attacker with the ICE credentials', () => {
  it.each(SIDES)('who takes over where the %s sends, and swallows it all, holds nothing up', async (side) => {
    await using world = createWorld();
    const pair = await target(world);
    const attacker = await openOffPath();
    answerChecks(attacker, pair);
    const beat = await startHeartbeat(pair);
    await takeOver(attacker, pair, side);
    await pause(SIEGE);
    expect(quicAt(attacker)).toBeGreaterThan(0);
    expect(beat.longest()).toBeLessThan(BEARABLE);
    await beat.stop();
    expect(await exchange(pair)).toEqual(EXCHANGED);
    attacker.close();
  });

  it('who carries everything for both sides, and then nothing any more, is found out', async () => {
    await using world = createWorld();
    const pair = await target(world);
    const attacker = await openOffPath();
    answerChecks(attacker, pair);
    let carried = 0;
    let swallowing = false;
    attacker.datagrams$.subscribe(({ stun, data, from }) => {
      if (stun !== undefined || swallowing) return;
      carried++;
      const { listener, dialer } = pair.networks;
      attacker.send(data, (sameEndpoint(from, listener.victim) ? dialer : listener).victim);
    });
    const beat = await startHeartbeat(pair);
    await Promise.all(SIDES.map((side) => takeOver(attacker, pair, side)));
    // From here on all goes through the attacker's hands alone.
    for (const side of SIDES) {
      const { victim } = pair.networks[otherSide(side)];
      pair.networks[side].intercept = ({ stun, to }) => stun === undefined && sameEndpoint(to, victim);
    }
    const before = carried;
    await vi.waitFor(() => expect(carried).toBeGreaterThan(before + 20), { timeout: 5000 });
    for (const side of SIDES) pair.networks[side].intercept = () => false;
    await pause(200);
    swallowing = true;
    await pause(SIEGE);
    expect(beat.longest()).toBeLessThan(BEARABLE);
    await beat.stop();
    expect(await exchange(pair)).toEqual(EXCHANGED);
    attacker.close();
  });

  it('from 40 addresses, each better than the last, holds nothing up', async () => {
    await using world = createWorld();
    const pair = await target(world);
    const attackers = await Promise.all(Array.from({ length: 40 }, () => openOffPath()));
    const beat = await startHeartbeat(pair);
    for (const [i, attacker] of attackers.entries()) {
      answerChecks(attacker, pair);
      for (const side of SIDES) {
        const attributes = [
          { type: 'priority', value: HIGHEST_PRIORITY - 100 + i },
          { type: 'ice-controlling', tieBreaker: BigInt(i) },
        ] as const;
        attacker.send(checkOf({ ...pair.checkFor(side), attributes }), pair.networks[side].victim);
      }
      await pause(20);
    }
    const answered = attackers.filter((attacker) => quicAt(attacker) > 0).length;
    expect(answered).toBeGreaterThan(5);
    await pause(SIEGE);
    expect(beat.longest()).toBeLessThan(BEARABLE);
    await beat.stop();
    expect(await exchange(pair)).toEqual(EXCHANGED);
    for (const attacker of attackers) attacker.close();
  });

  it('who quarrels about the roles changes nothing that shows', async () => {
    await using world = createWorld();
    const pair = await target(world);
    const attacker = await openOffPath();
    const beat = await startHeartbeat(pair);
    for (let i = 0; i < 50; i++) {
      for (const side of SIDES) {
        for (const type of ['ice-controlling', 'ice-controlled'] as const) {
          for (const tieBreaker of [0n, 2n ** 64n - 1n]) {
            const attributes = [
              { type: 'priority', value: 1 },
              { type, tieBreaker },
            ] as const;
            attacker.send(checkOf({ ...pair.checkFor(side), attributes }), pair.networks[side].victim);
          }
        }
      }
    }
    await vi.waitFor(() =>
      expect(attacker.heard.filter(({ stun }) => stun?.class === 'error').length).toBeGreaterThan(0),
    );
    await pause(SIEGE);
    expect(beat.longest()).toBeLessThan(BEARABLE);
    await beat.stop();
    for (const side of SIDES) {
      expect(pair.pathOf(side)?.remote).toBe(`127.0.0.1:${pair.networks[otherSide(side)].victim.port}`);
    }
    attacker.close();
  });

  it('aims neither data nor many packets at a third party in whose name it checks', async () => {
    await using world = createWorld();
    const pair = await target(world);
    const bystander = await openOffPath();
    const beat = await startHeartbeat(pair);
    for (let i = 0; i < 300; i++) {
      for (const side of SIDES) {
        pair.networks[side].forge({ data: checkOf(pair.checkFor(side)), from: bystander.address });
      }
    }
    await pause(SIEGE);
    await beat.stop();
    const requests = bystander.heard.filter(({ stun }) => stun?.class === 'request');
    const responses = bystander.heard.filter(({ stun }) => stun?.class === 'success');
    expect(responses.length).toBeGreaterThan(0);
    expect(responses.length).toBeLessThanOrEqual(600);
    expect(requests.length).toBeGreaterThan(0);
    expect(requests.length).toBeLessThanOrEqual(2 * CHECK_BUDGET.endpoint);
    expect(quicAt(bystander)).toBe(0);
    bystander.close();
  });
});
