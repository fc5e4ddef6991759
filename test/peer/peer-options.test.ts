import { describe, expect, test } from 'vitest';
import { checks, createScores, defineFlow, interfaces, relay } from '../../src/flows/index.ts';
import { createPeer } from '../../src/peer/create-peer.ts';
import type { PeerOptions } from '../../src/peer/peer.ts';
import { internet, simEnvironment } from '../../src/sim.ts';

const flow = defineFlow({ discover: interfaces(), punch: checks(), fallback: relay() });
const env = () => simEnvironment(internet({ seed: 1 }).host('alice'));

describe('createPeer refuses, and says what', () => {
  test.for<[string, object]>([
    ["createPeer: policy: 'direct' is none of relay-first, direct-only, relay-only", { policy: 'direct' }],
    ['createPeer: scores: true is none; use createScores(json)?', { scores: true }],
    ['createPeer: scores: an object is none; use createScores(json)?', { scores: createScores().toJSON() }],
    ['createPeer: flow: an object is no flow; call defineFlow()?', { flow: flow.spec }],
    ['createPeer: flow: an object is no flow; call defineFlow()?', { flow: checks() }],
    ['createPeer: flow: null is no flow; call defineFlow()?', { flow: null }],
    [
      'createPeer: delays.traversing: NaN is no whole number from 1 to 2147483647',
      { delays: { traversing: Number.NaN } },
    ],
    ['createPeer: delays.gone: Infinity is no whole number from 1 to 2147483647', { delays: { gone: Infinity } }],
    [
      "createPeer: delays: 'traversng' is none of its fields: traversing, recovering, gone, repunch",
      { delays: { traversng: 5 } },
    ],
    [
      "createPeer: 'flw' is none of its fields: env, identity, flow, scores, policy, accept, delays, inspect, observer",
      { flw: flow },
    ],
    ['createPeer: env: undefined is not an object', { env: undefined }],
  ])('%s', async ([message, options]) => {
    const peer = createPeer({ env: env(), ...options });
    await expect(peer).rejects.toMatchObject({ name: 'TraversalError', code: 'ERR_USAGE', message });
  });

  test('what is no options at all', async () => {
    const peer = createPeer(undefined as unknown as PeerOptions);
    await expect(peer).rejects.toMatchObject({ code: 'ERR_USAGE', message: 'createPeer: undefined is not an object' });
  });

  test('a time for a connection that no timer takes', async () => {
    await using peer = await createPeer({ env: env(), flow, scores: createScores(), delays: { gone: 5 } });
    for (const timeout of [0, -1, Number.NaN, Infinity, 2 ** 31]) {
      expect(() => peer.connect('', { timeout })).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }));
    }
  });
});
