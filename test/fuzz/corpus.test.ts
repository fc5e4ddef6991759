import { describe, expect, it } from 'vitest';
import { readVectors, vectorTargets } from './engine/corpus.ts';
import { judge } from './engine/fuzz.ts';
import { targets } from './targets/index.ts';

describe('every input that was kept', () => {
  it('belongs to a target', () => {
    const names = targets.map(({ name }) => name);
    expect(vectorTargets().filter((name) => !names.includes(name))).toEqual([]);
  });

  it.each(targets.map((target) => [target.name, target] as const))('of %s has its outcome', async (name, target) => {
    for (const { input, outcome, comment } of readVectors(name)) {
      const result = await judge(target, input);
      expect(result, `${comment.join('\n')}\n${Buffer.from(input).toString('hex')}`).toMatchObject(
        outcome === undefined ? { outcome: expect.any(String) } : { outcome },
      );
    }
  });
});
