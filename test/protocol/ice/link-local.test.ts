import { describe, expect, it } from 'vitest';
import { endpoint } from '../../../src/core/endpoint.ts';
import { candidate, signalled } from './internet.ts';
import { type Meeting, meeting } from './pair-of-agents.ts';

const own = (zone: string) => candidate('host', endpoint(`fe80::2%${zone}`, 5000));
const THEIRS = signalled(candidate('host', endpoint('fe80::1', 6000)));

function side(): Meeting {
  return meeting();
}

function targets({ internet }: Meeting): string[] {
  return [...new Set(internet.sent.map(({ to }) => to))];
}

describe('a link-local address of the other side', () => {
  it('is tried through the zone of each own link-local candidate', () => {
    const both = side();
    for (const zone of ['eth0', 'wlan0'])
      both.internet.feed(both.left, { type: 'local-candidate', candidate: own(zone) });
    both.internet.feed(both.left, { type: 'remote-candidate', candidate: THEIRS });
    both.internet.run(100);
    expect(targets(both)).toEqual(['[fe80::1%eth0]:6000', '[fe80::1%wlan0]:6000']);
    expect(
      both.left.agent.snapshot().pairs.map(({ local, remote }) => [local, remote].map((c) => c.endpoint.address)),
    ).toEqual([
      ['fe80::2%eth0', 'fe80::1%eth0'],
      ['fe80::2%wlan0', 'fe80::1%wlan0'],
    ]);
  });

  it('waits for the first own one, and joins four at most', () => {
    const both = side();
    both.internet.feed(both.left, { type: 'remote-candidate', candidate: THEIRS });
    expect(both.left.agent.snapshot()).toMatchObject({ pairs: [], remote: [] });
    for (let n = 0; n < 6; n++) both.internet.feed(both.left, { type: 'local-candidate', candidate: own(`eth${n}`) });
    both.internet.run(100);
    expect(targets(both)).toEqual([0, 1, 2, 3].map((n) => `[fe80::1%eth${n}]:6000`));
  });

  it('is not tried from a global address, nor a global one from a link-local address', () => {
    const both = side();
    both.internet.feed(both.left, {
      type: 'local-candidate',
      candidate: candidate('host', endpoint('2001:db8::2', 5000)),
    });
    both.internet.feed(both.left, { type: 'remote-candidate', candidate: THEIRS });
    const other = side();
    other.internet.feed(other.left, { type: 'local-candidate', candidate: own('eth0') });
    const global = signalled(candidate('host', endpoint('2001:db8:1::1', 6000)));
    other.internet.feed(other.left, { type: 'remote-candidate', candidate: global });
    for (const each of [both, other]) {
      each.internet.run(5000);
      expect(targets(each)).toEqual([]);
    }
  });
});
