import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError, TraversalError } from '../../../src/core/errors.ts';
import { unknownBehavior } from '../../../src/core/nat-behavior.ts';
import {
  createEnvelopeChannel,
  type EnvelopeChannelOptions,
  envelopeHash,
  openStanding,
  type PeerMessage,
  type StandingMessage,
  sealStanding,
} from '../../../src/protocol/rendezvous/index.ts';
import { seededRandom } from '../../seeded-random.ts';
import { filled, sampleOffer } from './support.ts';

const shared = { secret: filled(16, 1), session: filled(16, 2), listenerKey: filled(32, 3) };
const dialerOptions: EnvelopeChannelOptions = { ...shared, role: 'dialer', random: seededRandom('dialer') };
const listenerOptions: EnvelopeChannelOptions = { ...shared, role: 'listener', random: seededRandom('listener') };
const reject: PeerMessage = { type: 'reject', code: 'ERR_TICKET_REJECTED', message: 'not today' };

function whereOf(open: () => unknown): string {
  try {
    open();
    return 'opened';
  } catch (error) {
    if (error instanceof DecodeError) return error.where;
    throw error;
  }
}

describe('envelope channel', () => {
  it('carries messages both ways', () => {
    const dialer = createEnvelopeChannel(dialerOptions);
    const listener = createEnvelopeChannel(listenerOptions);
    const offer = sampleOffer();
    expect(listener.open(dialer.seal(offer))).toEqual(offer);
    expect(dialer.open(listener.seal(reject))).toEqual(reject);
  });

  it('opens each envelope once, in any order', () => {
    const dialer = createEnvelopeChannel(dialerOptions);
    const listener = createEnvelopeChannel(listenerOptions);
    const envelopes = Array.from({ length: 5 }, () => dialer.seal(reject));
    for (const i of [4, 0, 2, 1, 3]) expect(listener.open(envelopes[i]!)).toEqual(reject);
    for (const envelope of envelopes) expect(whereOf(() => listener.open(envelope))).toBe('envelope/sequence');
  });

  it('refuses one that is 64 or more behind', () => {
    const dialer = createEnvelopeChannel(dialerOptions);
    const listener = createEnvelopeChannel(listenerOptions);
    const envelopes = Array.from({ length: 65 }, () => dialer.seal(reject));
    listener.open(envelopes[64]!);
    expect(whereOf(() => listener.open(envelopes[0]!))).toBe('envelope/sequence');
    expect(listener.open(envelopes[1]!)).toEqual(reject);
  });

  it('does not let a forged envelope move the window', () => {
    const dialer = createEnvelopeChannel(dialerOptions);
    const listener = createEnvelopeChannel(listenerOptions);
    const genuine = dialer.seal(reject);
    const forged = Uint8Array.from(genuine);
    forged.set([0xff, 0xff, 0xff, 0xff], 1);
    expect(whereOf(() => listener.open(forged))).toBe('envelope/tag');
    expect(listener.open(genuine)).toEqual(reject);
  });

  it('does not open a reflected envelope', () => {
    const dialer = createEnvelopeChannel(dialerOptions);
    const envelope = dialer.seal(reject);
    expect(whereOf(() => dialer.open(envelope))).toBe('envelope/tag');
  });

  it.each<[string, Partial<EnvelopeChannelOptions>]>([
    ['secret', { secret: filled(16, 9) }],
    ['session', { session: filled(16, 9) }],
    ["listener's key", { listenerKey: filled(32, 9) }],
  ])('is bound to its %s', (_name, change) => {
    const envelope = createEnvelopeChannel(dialerOptions).seal(reject);
    const stranger = createEnvelopeChannel({ ...listenerOptions, ...change });
    expect(whereOf(() => stranger.open(envelope))).toBe('envelope/tag');
  });

  it('notices a change in every byte', () => {
    const envelope = createEnvelopeChannel(dialerOptions).seal(reject);
    for (let at = 1; at < envelope.length; at++) {
      const changed = Uint8Array.from(envelope);
      changed[at]! ^= 0x01;
      expect(whereOf(() => createEnvelopeChannel(listenerOptions).open(changed))).toBe('envelope/tag');
    }
  });

  it('names a later version', () => {
    const envelope = createEnvelopeChannel(dialerOptions).seal(reject);
    envelope[0] = 2;
    const listener = createEnvelopeChannel(listenerOptions);
    expect(() => listener.open(envelope)).toThrow(expect.objectContaining({ code: 'ERR_VERSION' }));
  });

  it('throws nothing but its own errors for any bytes', () => {
    const listener = createEnvelopeChannel(listenerOptions);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(() => listener.open(bytes)).toThrow(TraversalError);
      }),
    );
  });

  it('takes at most 16 KiB', () => {
    const dialer = createEnvelopeChannel(dialerOptions);
    const large = { type: 'reject', code: 'ERR_BUSY', message: 'x'.repeat(17_000) } as const;
    expect(() => dialer.seal(large)).toThrow(expect.objectContaining({ code: 'ERR_TOO_LARGE' }));
    expect(whereOf(() => dialer.open(new Uint8Array(20_000).fill(1)))).toBe('envelope/length');
  });

  it('holds the largest offer there can be', () => {
    const candidate = {
      transport: 'tcp',
      tcpType: 'passive',
      type: 'srflx',
      endpoint: { address: '2001:db8:1111:2222:3333:4444:5555:6666', port: 65535, family: 6 },
      priority: 2 ** 31 - 1,
      foundation: 'f'.repeat(64),
    } as const;
    const offer = sampleOffer({
      proof: filled(64, 9),
      candidates: new Array(32).fill(candidate),
      behavior: { ...unknownBehavior, evidence: new Array(16).fill('e'.repeat(200)) },
      flight: new Array(3).fill(filled(1200, 1)),
    });
    const listener = createEnvelopeChannel(listenerOptions);
    expect(listener.open(createEnvelopeChannel(dialerOptions).seal(offer))).toEqual(offer);
  });

  it('never uses a key and nonce twice', () => {
    const dialer = createEnvelopeChannel(dialerOptions);
    const nonces = Array.from({ length: 50 }, () => Buffer.from(dialer.seal(reject).subarray(5, 17)).toString('hex'));
    expect(new Set(nonces).size).toBe(50);
  });

  it('gives each envelope a hash of its own', () => {
    const dialer = createEnvelopeChannel(dialerOptions);
    expect(envelopeHash(dialer.seal(reject))).toHaveLength(32);
    expect(envelopeHash(dialer.seal(reject))).not.toEqual(envelopeHash(dialer.seal(reject)));
  });
});

describe('standing answer', () => {
  const { secret, listenerKey } = shared;
  const message: StandingMessage = { type: 'standing', issuedAt: 5, candidates: [], behavior: unknownBehavior };
  const envelope = sealStanding({ secret, listenerKey, message, random: seededRandom('standing') });

  it('opens for every holder of the ticket, any number of times', () => {
    expect(openStanding({ secret, listenerKey, envelope })).toEqual(message);
    expect(openStanding({ secret, listenerKey, envelope })).toEqual(message);
  });

  it('is bound to the secret and to the key', () => {
    expect(whereOf(() => openStanding({ secret: filled(16, 9), listenerKey, envelope }))).toBe('standing/tag');
    expect(whereOf(() => openStanding({ secret, listenerKey: filled(32, 9), envelope }))).toBe('standing/tag');
  });

  it('is nothing that a session takes for an envelope, nor the other way round', () => {
    expect(whereOf(() => createEnvelopeChannel(dialerOptions).open(envelope))).toBe('envelope/tag');
    const answer = createEnvelopeChannel(listenerOptions).seal(message);
    expect(whereOf(() => openStanding({ secret, listenerKey, envelope: answer }))).toBe('standing/tag');
  });
});
