import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../src/core/errors.ts';
import { decodeMessage, verifyIntegrity } from '../../src/protocol/stun/index.ts';
import { SAMPLE_REQUEST } from '../vectors/stun.ts';
import { seededChance } from './engine/chance.ts';
import { describeFinding, fuzz } from './engine/fuzz.ts';
import { MAX_INPUT, type Mutator, mutateBytes } from './engine/mutate-bytes.ts';
import { mutateJson } from './engine/mutate-json.ts';
import { mutateStun } from './engine/mutate-stun.ts';
import { mutateText } from './engine/mutate-text.ts';
import { shrink } from './engine/shrink.ts';
import { signStun } from './engine/sign-stun.ts';
import { attempt, mustEqual, type Target } from './engine/target.ts';

/** A target with a fault: what must be found to trust the others' silence. */
function faulty(run: (input: Uint8Array) => string, seed = 'length 05 hello'): Target {
  return { name: 'faulty', seeds: [Buffer.from(seed)], mutate: mutateBytes, run };
}

const bytesOf = (text: string): Uint8Array => Buffer.from(text);

describe('fuzzing', () => {
  it('finds an error of the wrong kind, and shortens what brings it about', async () => {
    const target = faulty((input) => {
      const read = attempt(() => {
        if (input[0] !== 0x6c) throw new DecodeError('test/kind');
        if (input.length > 8 && (input[7]! & 0x80) !== 0) throw new RangeError('out of range');
        return 'fine';
      });
      return 'outcome' in read ? read.outcome : read.value;
    });
    const { findings, outcomes } = await fuzz(target, { seed: 1, inputs: 20_000 });
    expect([...outcomes.keys()].sort()).toEqual(['ERR_DECODE test/kind', 'fine']);
    expect(findings).toHaveLength(1);
    expect(describeFinding(findings[0]!)).toMatch(/RangeError: out of range[\s\S]*--target faulty --input 6c/);
    const shortest = await shrink(target, findings[0]!.input, findings[0]!.reason);
    expect(shortest).toHaveLength(9);
  });

  it('finds what cannot be written as it was read', async () => {
    const { findings } = await fuzz(
      faulty((input) => {
        const text = Buffer.from(input).toString('utf8');
        mustEqual(new Uint8Array(Buffer.from(text)), new Uint8Array(input), 'text has one spelling');
        return 'text';
      }),
      { seed: 1, inputs: 1000 },
    );
    expect(findings[0]?.reason).toContain('BrokenPromise: text has one spelling');
  });

  it('finds what takes longer than its input is long', async () => {
    const { findings } = await fuzz(
      faulty((input) => {
        const slow = input.length > 200;
        for (const since = process.cpuUsage(); slow && process.cpuUsage(since).user < 60_000; );
        return slow ? 'long' : 'short';
      }),
      { seed: 1, inputs: 1000 },
    );
    expect(findings.map(({ reason }) => reason)).toEqual([expect.stringMatching(/^SLOW: \d+ ms$/)]);
  });

  it('finds what takes more memory than it may', async () => {
    const { findings } = await fuzz(
      faulty((input) => `${Buffer.allocUnsafeSlow(input.length > 5 ? 2 ** 27 : 1).length}`),
      { seed: 1, inputs: 20 },
    );
    expect(findings.map(({ reason }) => reason)).toContain('LARGE: 128 MiB');
  });

  it('is the same again with the same seed, and another with another', async () => {
    const inputsOf = async (seed: number): Promise<string[]> => {
      const seen: string[] = [];
      await fuzz(
        faulty((input) => {
          seen.push(Buffer.from(input).toString('hex'));
          return `${input.length % 7}`;
        }),
        { seed, inputs: 200 },
      );
      return seen;
    };
    const first = await inputsOf(1);
    expect(await inputsOf(1)).toEqual(first);
    expect(await inputsOf(2)).not.toEqual(first);
    expect(await inputsOf(2 ** 40 + 1)).not.toEqual(first);
  });
});

describe('mutation', () => {
  const mutators: readonly (readonly [string, Mutator, Uint8Array])[] = [
    ['of bytes', mutateBytes, SAMPLE_REQUEST],
    ['of text', mutateText, bytesOf('ws://[2001:db8::1]:8790/')],
    ['of JSON', mutateJson, bytesOf('{"type":"offer","list":[1,"two",{"three":null}],"flag":true}')],
    ['of STUN', mutateStun, SAMPLE_REQUEST],
  ];
  it.each(mutators)('%s changes most inputs, harms no seed, and copes with an empty one', (_name, mutate, seed) => {
    const before = Buffer.from(seed).toString('hex');
    const chance = seededChance(1);
    let changed = 0;
    for (let i = 0; i < 2000; i++) {
      const mutated = mutate(seed, i % 2 === 0 ? seed : new Uint8Array(), chance);
      if (!Buffer.from(mutated).equals(seed)) changed++;
      mutate(new Uint8Array(), seed, chance);
    }
    expect(changed).toBeGreaterThan(1800);
    expect(Buffer.from(seed).toString('hex')).toBe(before);
  });

  it('of bytes keeps within its bound', () => {
    const chance = seededChance(1);
    const long = new Uint8Array(MAX_INPUT);
    for (let i = 0; i < 50; i++) expect(mutateBytes(long, long, chance).length).toBeLessThanOrEqual(MAX_INPUT);
  });

  it('of JSON and STUN mostly stays JSON and STUN', () => {
    const chance = seededChance(1);
    const json = bytesOf('{"a":[1,2,3],"b":"c"}');
    let [parsed, decoded] = [0, 0];
    for (let i = 0; i < 1000; i++) {
      if ('value' in attemptAny(() => JSON.parse(Buffer.from(mutateJson(json, json, chance)).toString()))) parsed++;
      if ('value' in attempt(() => decodeMessage(mutateStun(SAMPLE_REQUEST, SAMPLE_REQUEST, chance)))) decoded++;
    }
    expect(parsed).toBeGreaterThan(600);
    expect(decoded).toBeGreaterThan(250);
  });

  it('is behind the integrity check once it is signed', () => {
    const chance = seededChance(1);
    const key = bytesOf('a password');
    let verified = 0;
    for (let i = 0; i < 500; i++) {
      const signed = signStun(mutateStun(SAMPLE_REQUEST, SAMPLE_REQUEST, chance), { key, username: 'left:right' });
      const decoded = attempt(() => decodeMessage(signed));
      if ('value' in decoded && verifyIntegrity(decoded.value, key)) verified++;
    }
    expect(verified).toBeGreaterThan(200);
  });
});

function attemptAny<T>(action: () => T): { readonly value: T } | { readonly error: unknown } {
  try {
    return { value: action() };
  } catch (error) {
    return { error };
  }
}
