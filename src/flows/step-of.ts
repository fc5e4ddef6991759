import type { Product } from '../core/strategy.ts';
import { evidenceOf } from './evidence.ts';
import type { Step, Steps } from './step.ts';
import { STRATEGY_NAME } from './strategy.ts';
import { shown, usage } from './usage.ts';

/** The step, which may have been written without types. Errors: `ERR_USAGE` for what is none, naming the place. */
export function stepOf<P extends Product>(place: string, step: Step<P>): Step<P> {
  checkStep(place, step, []);
  return step;
}

/** The steps, of which there must be one at least, frozen. Errors: `ERR_USAGE`, naming the place of the one that is none. */
export function stepsOf<P extends Product>(place: string, steps: Steps<P>): readonly Step<P>[] {
  checkSteps(place, steps, []);
  return Object.freeze([...steps]);
}

/** `around`: the steps that it is a part of. */
function checkStep(place: string, value: unknown, around: readonly unknown[]): void {
  if (typeof value === 'function') throw usage(place, `not a step; call ${value.name || 'it'}()?`);
  if (Array.isArray(value)) throw usage(place, 'not a step, but an array; put it into sequence() or race()?');
  const fields = Object(value) as Readonly<Record<string, unknown>>;
  if (!isKind(fields.kind)) throw usage(place, `${shown(value)} is not a step`);
  if (around.includes(value)) throw usage(place, 'it is a part of itself');
  const inside = [...around, value];
  if (fields.kind === 'strategy') checkStrategy(`${place}.strategy`, fields.strategy);
  if (fields.kind === 'when') evidenceOf(`${place}.evidence`, fields.evidence);
  for (const name of PARTS[fields.kind]) {
    const check = name === 'steps' ? checkSteps : checkStep;
    check(`${place}.${name}`, fields[name], inside);
  }
}

function checkSteps(place: string, value: unknown, around: readonly unknown[]): void {
  if (!Array.isArray(value)) throw usage(place, `${shown(value)} is no array of steps`);
  if (value.length === 0) throw usage(place, 'no steps');
  // By index: an array may have holes.
  for (let i = 0; i < value.length; i++) checkStep(`${place}[${i}]`, value[i], around);
}

function checkStrategy(place: string, value: unknown): void {
  const { name, bounds, logic } = Object(value) as Readonly<Record<string, unknown>>;
  const isStrategy = typeof name === 'string' && STRATEGY_NAME.test(name) && Object(bounds) === bounds;
  if (!isStrategy || Object(logic) !== logic) throw usage(place, 'no strategy of defineStrategy()');
}

function isKind(kind: unknown): kind is Step['kind'] {
  return typeof kind === 'string' && Object.hasOwn(PARTS, kind);
}

/** The fields of a step that hold steps. */
const PARTS: Readonly<Record<Step['kind'], readonly string[]>> = {
  strategy: [],
  sequence: ['steps'],
  race: ['steps'],
  when: ['step'],
  retry: ['step'],
  within: ['step'],
  fallback: ['step', 'backup'],
};
