import { describe, expect, it } from 'vitest';
import { SentLedger } from '../../src/core/sent-ledger.ts';

describe('a ledger of what was sent', () => {
  it('counts by scope, until the period is over', () => {
    const ledger = new SentLedger(1000);
    ledger.add({ at: 0, who: 'one', scopes: ['host', '*'] });
    ledger.add({ at: 500, who: 'other', scopes: ['*'] });
    expect([ledger.countOf('host'), ledger.countOf('*'), ledger.countOf('elsewhere')]).toEqual([1, 2, 0]);
    ledger.expire(999);
    expect(ledger.countOf('*')).toBe(2);
    ledger.expire(1000);
    expect([ledger.countOf('host'), ledger.countOf('*')]).toEqual([0, 1]);
    ledger.expire(1500);
    expect(ledger.countOf('*')).toBe(0);
  });

  it('tells when one would have more than is left to others', () => {
    const ledger = new SentLedger(1000);
    const send = (who: string): void => ledger.add({ at: 0, who, scopes: ['*'] });
    send('one');
    expect(ledger.leavesEnough('one', '*', 4)).toBe(true);
    send('one');
    expect(ledger.leavesEnough('one', '*', 4)).toBe(false);
    expect(ledger.leavesEnough('other', '*', 4)).toBe(true);
    send('other');
    expect(ledger.leavesEnough('other', '*', 4)).toBe(false);
  });

  it('forgets what one has sent in a scope, in all scopes that it counted in', () => {
    const ledger = new SentLedger(1000);
    for (const who of ['one', 'other']) ledger.add({ at: 0, who, scopes: ['host:1', 'host'] });
    ledger.add({ at: 0, who: 'one', scopes: ['host:2', 'host'] });
    ledger.forget('one', 'host:1');
    expect(['host:1', 'host:2', 'host'].map((scope) => ledger.countOf(scope))).toEqual([1, 1, 2]);
    ledger.forget('nobody', 'host');
    expect(ledger.countOf('host')).toBe(2);
    ledger.expire(1000);
    expect(ledger.countOf('host')).toBe(0);
  });
});
