/**
 * Puts the tree that it stands in to the test, as the model kit does, and says what it found in its last line, as JSON. Started by
 * `main.ts` for each mutant. `--brief`: some paths of the default flow alone.
 */
import { parseArgs } from 'node:util';
import { chartsOf, coverage, ModelFailure, propertyTest, testPath } from '../../src/testing/index.ts';
import { expeditions } from '../model/campaign.ts';
import { type Comeback, comebacks } from '../model/comebacks.ts';
import { deadlines } from '../model/deadlines.ts';
import { type Expedition, flows } from '../model/expedition.ts';
import { pairs } from '../model/pairs.ts';
import { unrulyExpeditions } from '../model/unruly-flows.ts';
import type { Catch, Judgement } from './judgement.ts';

const { values } = parseArgs({
  options: {
    brief: { type: 'boolean', default: false },
    runs: { type: 'string', default: '240' },
    seed: { type: 'string', default: '1' },
  },
});

/** Paths. */
const BRIEF = 12;

const collector = coverage(chartsOf(flows.default));
console.log(JSON.stringify(values.brief ? await brief() : await thorough()));

async function brief(): Promise<Judgement> {
  const [first] = expeditions();
  return { caught: await walk({ ...first!, paths: first!.paths.slice(0, BRIEF) }), missing: [] };
}

async function thorough(): Promise<Judgement> {
  for (const expedition of [...unrulyExpeditions(), ...deadlines(), ...comebacks(), ...expeditions()]) {
    const caught = await walk(expedition);
    if (caught !== null) return { caught, missing: [] };
  }
  return { caught: await wander(), missing: collector.report().missing };
}

async function walk({ title, model, paths, invariants }: Expedition & Partial<Comeback>): Promise<Catch | null> {
  for (const path of paths) {
    try {
      await testPath(model, path, { inspect: collector.inspect, invariants });
    } catch (error) {
      return { by: 'path', where: `${title}: ${path.description}`, reason: reasonOf(error) };
    }
  }
  return null;
}

/** Random sequences, the same number for each pair. */
async function wander(): Promise<Catch | null> {
  const all = pairs();
  const runs = Math.ceil(Number(values.runs) / all.length);
  for (const { title, model } of all) {
    try {
      await propertyTest({ model, runs, seed: Number(values.seed) });
    } catch (error) {
      return { by: 'random', where: title, reason: reasonOf(error) };
    }
  }
  return null;
}

function reasonOf(error: unknown): string {
  return error instanceof ModelFailure ? error.run.reason : String(error);
}
