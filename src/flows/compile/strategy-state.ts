import type { Bounds } from '../../core/strategy.ts';
import type { Strategy } from '../strategy.ts';
import type { ComposedState } from './composed-setup.ts';
import type { ComposedContext, PacketBudget } from './contract.ts';
import type { Parts } from './parts.ts';
import { inWords, type Place, type RaceBudget, withDeadline } from './place.ts';

/** The meta data of a strategy's state. */
export interface StepCost {
  readonly strategy: string;
  /** What it may send where it stands: the least of its own bound and those of the races around it. */
  readonly packets: number;
}

/** The state in which a strategy runs: its actor ends it, or its time. */
export function strategyState(strategy: Strategy, place: Place, parts: Parts): ComposedState {
  const { path, won, lost, budgets } = place;
  const { name, bounds } = strategy;
  // A step around it that ends no later needs no help.
  const delay = bounds.time < place.longest ? parts.delay(`time of ${name}`, bounds.time) : undefined;
  const { deadlines } = delay === undefined ? place : withDeadline(place, delay, bounds.time);
  const cost: StepCost = {
    strategy: name,
    packets: Math.min(bounds.packets, ...budgets.map(({ packets }) => packets)),
  };
  return {
    description: boundsInWords(bounds),
    meta: cost,
    invoke: {
      id: path,
      src: parts.strategy(strategy),
      input: ({ context: { id, facts, tries } }) => ({
        id,
        step: path,
        strategy: name,
        facts,
        budgets: budgets.map((budget) => ofTry(budget, tries)),
      }),
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

/** The race's budget of this try. */
function ofTry({ id, packets, retries }: RaceBudget, tries: ComposedContext['tries']): PacketBudget {
  return { id: [id, ...retries.map((retry) => tries[retry])].join(' '), packets };
}

function boundsInWords({ time, packets, sockets }: Bounds): string {
  const some = (count: number, noun: string): readonly string[] => {
    if (count === 0) return [];
    return [count === Infinity ? `any number of ${noun}s` : `${count} ${noun}${count === 1 ? '' : 's'}`];
  };
  const length = time === Infinity ? 'any time' : inWords(time);
  return `at most ${[length, ...some(packets, 'packet'), ...some(sockets, 'socket')].join(', ')}`;
}
