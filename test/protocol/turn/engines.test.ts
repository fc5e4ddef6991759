import { describe, expect, it } from 'vitest';
import { formatEndpoint } from '../../../src/core/endpoint.ts';
import { PEER, TurnBench } from './bench.ts';

describe('client and server', () => {
  it('relay data both ways', () => {
    const bench = new TurnBench();
    const client = bench.allocated();
    expect(client.events).toMatchObject([{ type: 'allocated', lifetime: 600, mapped: client.tuple.client }]);
    client.do({ type: 'permit', peer: PEER });
    expect(client.last).toEqual({ type: 'permitted', peer: PEER });
    client.send('hello');
    bench.fromPeer('and back', client.relayed);
    expect(bench.relayed).toEqual([{ from: formatEndpoint(client.relayed), to: formatEndpoint(PEER), text: 'hello' }]);
    expect(client.received).toEqual([`${formatEndpoint(PEER)}: and back`]);
  });
});
