import type { Bounds } from '../../core/strategy.ts';
import type { Strategy } from '../strategy.ts';
import type { ComposedState } from './composed-setup.ts';
import type { Parts } from './parts.ts';
import { inWords, type Place, withDeadline } from './place.ts';

/** What a strategy may cost where it stands: the least of its own bounds and those of the steps around it. The meta data of its state. */
export interface StepCost {
  readonly strategy: string;
  /** ms. */
  readonly time: number;
  readonly packets: number;
}

/** The state in which a strategy runs: its actor ends it, or its time. */
export function strategyState(strategy: Strategy, place: Place, parts: Parts): ComposedState {
  const { path, won, lost, budgets } = place;
  const { name, bounds } = strategy;
  const delay = Number.isFinite(bounds.time) ? parts.delay(`time of ${name}`, bounds.time) : undefined;
  const { deadlines, longest } = delay === undefined ? place : withDeadline(place, delay, bounds.time);
  const cost: StepCost = {
    strategy: name,
    time: longest,
    packets: Math.min(bounds.packets, ...budgets.map(({ packets }) => packets)),
  };
  return {
    description: boundsInWords(bounds),
    meta: cost,
    invoke: {
      id: path,
      src: parts.strategy(strategy),
      input: ({ context: { id, facts } }) => ({ id, step: path, strategy: name, facts, budgets }),
      onDone: [
        {
          guard: 'succeeded',
          target: won,
          actions: { type: 'noteWinner', params: { step: path, strategy: name } },
        },
        { target: lost },
      ],
      onError: lost,
    },
    ...(delay !== undefined && { after: { [delay]: lost } }),
    exit: { type: 'noteAttempt', params: { step: path, strategy: name, deadlines } },
  };
}

function boundsInWords({ time, packets, sockets }: Bounds): string {
  const some = (count: number, noun: string): readonly string[] => {
    if (count === 0) return [];
    return [count === Infinity ? `any number of ${noun}s` : `${count} ${noun}${count === 1 ? '' : 's'}`];
  };
  const length = time === Infinity ? 'any time' : inWords(time);
  return `at most ${[length, ...some(packets, 'packet'), ...some(sockets, 'socket')].join(', ')}`;
}
