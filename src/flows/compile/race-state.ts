import type { Step } from '../step.ts';
import { strategyNames } from '../walk.ts';
import type { ComposedState } from './composed-setup.ts';
import { tellApart } from './names.ts';
import type { Parts } from './parts.ts';
import { inWords, type Place, withDeadline } from './place.ts';
import type { RaceChild } from './turn.ts';

export interface Race {
  /** As its state and its delays are called. */
  readonly name: string;
  readonly steps: readonly Step[];
  /** ms; 0: all at once. */
  readonly stagger: number;
  readonly within?: number | undefined;
  readonly packets?: number | undefined;
  /** Whether its children may start in another order than they are written in. */
  readonly isRanked: boolean;
  /** Whether some of them may be left out. */
  readonly isSelective: boolean;
}

/**
 * A region for each child: `waiting` for the one before it to start, then `next` for its own time or for those before it to lose, then
 * the child, then `lost`. Who wins leaves the race by itself, and so stops the others; when all have lost the race has.
 */
export function raceState(
  { name, steps, stagger, within, packets, isRanked, isSelective }: Race,
  place: Place,
  parts: Parts,
  stateOf: (step: Step, place: Place, parts: Parts) => ComposedState,
): ComposedState {
  const { path, lost, budgets, retries } = place;
  const time = within === undefined ? undefined : parts.delay(`time of ${name}`, within);
  const inside: Place = {
    ...(time === undefined ? place : withDeadline(place, time, within!)),
    budgets: packets === undefined ? budgets : [...budgets, { id: path, packets, retries }],
  };
  const isFixed = !isRanked && !isSelective;
  const keys = tellApart(steps.map(keyOf), STATES);
  const children = steps.map(
    (step, i): RaceChild => ({ step: `${path}.${keys[i]}`, strategies: isFixed ? [] : strategyNames(step) }),
  );
  const staggered = stagger === 0 ? undefined : parts.delay(`stagger of ${name}`, stagger);

  const regions = steps.map((step, i): [string, ComposedState] => {
    const key = keys[i]!;
    const child = children[i]!.step;
    const turn = { children, child };
    const start = { target: key, actions: { type: 'noteStarted', params: { step: child } } } as const;
    const inTurn = { ...start, guard: { type: 'hasTurn', params: turn } } as const;
    const afterLast = { target: 'next', guard: { type: 'isNext', params: turn } } as const;
    const turns = isFixed ? [afterLast] : [inTurn, afterLast];
    const out = {
      target: 'lost',
      guard: { type: 'isLeftOut', params: turn },
      actions: { type: 'noteSkipped', params: { step: child, strategies: strategyNames(step), reason: LEFT_OUT } },
    } as const;
    const isFirst = i === 0 && isFixed;
    const region: ComposedState = {
      initial: 'waiting',
      states: {
        waiting: {
          always: [...(isSelective ? [out] : []), ...(staggered === undefined || isFirst ? [start] : turns)],
        },
        ...(staggered !== undefined && !isFirst && { next: { always: inTurn, after: { [staggered]: start } } }),
        [key]: stateOf(step, { ...inside, path: `${child}.${key}`, lost: `#${child}.lost` }, parts),
        lost: { type: 'final', entry: { type: 'noteLost', params: { step: child } } },
      },
    };
    return [key, region];
  });

  return {
    description: descriptionOf(stagger, within, packets),
    type: 'parallel',
    entry: { type: 'beginRace', params: { step: path } },
    states: Object.fromEntries(regions),
    onDone: lost,
    ...(time !== undefined && { after: { [time]: lost } }),
  };
}

/** The name of a step's state: what the code calls it. */
export function keyOf(step: Step): string {
  return step.kind === 'strategy' ? step.strategy.name : step.kind;
}

function descriptionOf(stagger: number, within: number | undefined, packets: number | undefined): string {
  const start = stagger === 0 ? 'all at once' : `each ${inWords(stagger)} after the one before it at the latest`;
  const time = within === undefined ? [] : [`at most ${inWords(within)}`];
  const budget = packets === undefined ? [] : [`${packets} packets together`];
  return ['the first to succeed', start, ...time, ...budget].join(', ');
}

const STATES = ['waiting', 'next', 'lost'];
const LEFT_OUT = 'left out: it has failed too often between such networks';
