import { type DialOutcome, forecast, type Outcome, type Prospect, type Scenario, type SideOutcome } from '../sim.ts';
import { colors } from './colors.ts';
import { ms } from './demo-story.ts';

/** What came of it, as lines for people: times, what was tried, verdicts, and what the oracle had foreseen. */
export function describeEnd(scenario: Scenario, { dials }: Outcome): readonly string[] {
  return ['', 'How it went', ...dials.flatMap(describeDial), ...describeForecast(scenario)];
}

function describeDial({ from, to, ready, firstEcho, direct, error, dialer, listener }: DialOutcome): string[] {
  const times = [
    ready === undefined ? 'never a session' : `session ${ms(ready)}`,
    ...(firstEcho === undefined ? [] : [`first echo ${ms(firstEcho)}`]),
    direct === undefined ? 'never direct' : `direct ${ms(direct)}`,
  ];
  return [
    entry('after the dial', times.join(', ')),
    ...(error === undefined ? [] : [entry('error', colors.red(`${error.message} [${error.code}]`))]),
    ...describeSide(from, dialer),
    ...describeSide(to, listener),
  ];
}

function describeSide(who: string, side: SideOutcome | undefined): string[] {
  const verdict = side?.verdict;
  if (verdict === undefined) return [];
  const { outcome, summary } = verdict;
  return [
    entry(`verdict of ${who}`, `${OUTCOMES[outcome](outcome)}: ${summary}`),
    // Why nothing was mapped is in the advice.
    ...verdict.attempts
      .filter(({ strategy, ok }) => strategy !== 'map' || ok)
      .map(({ strategy, reason, sent, received }) => {
        const packets = sent === undefined ? '' : `; ${sent} requests, ${received} answers`;
        return entry('', `${strategy}: ${reason}${packets}`);
      }),
    ...verdict.advice.map((advice) => entry('', `hint: ${advice}`)),
  ];
}

/** From the topology alone. */
function describeForecast({ internet, dials }: Scenario): string[] {
  return dials.flatMap(({ from, to }) => {
    const { prospects, best } = forecast(internet, from, to);
    const foreseen = prospects.map(describeProspect).join(', ');
    return [entry('the oracle', `best: ${best}; can join them: ${foreseen || 'nothing but a relay'}`)];
  });
}

function describeProspect({ technique, probability }: Prospect): string {
  return probability === 1 ? technique : `${technique} (${(100 * probability).toFixed(0)} %)`;
}

function entry(name: string, what: string): string {
  return `  ${name.padEnd(15)} ${what}`;
}

const OUTCOMES = { direct: colors.green, relayed: colors.yellow, failed: colors.red } as const;
