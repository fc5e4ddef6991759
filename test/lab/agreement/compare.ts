import { type Account, type Region, type SideAccount, timeOf } from './account.ts';
import type { Cell } from './cell.ts';

/**
 * In what the two worlds differ on a cell, one sentence each; none when they agree. They agree when both sides came to the same end by the
 * same kind of path, to the same type of candidate, with the same candidates of their own and the same idea of their NAT; when every
 * region of their charts took the same steps; and when the milestones came in the same order.
 *
 * The kernel's times are the simulator's, and those of programs on a machine that does other things too. What may come out either way
 * by that, and is not held against them:
 * - The session is established by handshakes that take computing, a direct path by packets that take none. Where neither needs the
 *   other, which of the two is first is open.
 * - So is the order of the relayed and the direct path where the simulator has them less than {@link RACE} apart.
 * - When the session is established, the chart tells no more of the search for candidates and a relay: their last step may be
 *   missing.
 * - Of a cell with `checksMayCross`, whether a candidate is server-reflexive or peer-reflexive.
 */
export function differences(cell: Pick<Cell, 'checksMayCross'>, simulated: Account, kernel: Account): string[] {
  return (['dialer', 'listener'] as const).flatMap((side) => {
    const [one, other] = [simulated[side], kernel[side]];
    const facts = FACTS.flatMap((fact) => different(fact, factOf(cell, one, fact), factOf(cell, other, fact)));
    const courses = REGIONS.flatMap((region) =>
      isSameCourse(region, one, other) ? [] : different(region, courseOf(one, region), courseOf(other, region)),
    );
    return [...facts, ...courses, ...orderDifferences(one, other)].map((text) => `${side}: ${text}`);
  });
}

/** ms. */
const RACE = 250;

type Fact = Exclude<keyof SideAccount, 'steps'>;

const FACTS: readonly Fact[] = ['outcome', 'transport', 'remoteType', 'candidates', 'nat'];

function factOf(
  { checksMayCross }: Pick<Cell, 'checksMayCross'>,
  account: SideAccount,
  fact: Fact,
): string | undefined {
  const isReflexive = account.remoteType === 'srflx' || account.remoteType === 'prflx';
  if (fact === 'remoteType' && checksMayCross && isReflexive) return 'reflexive';
  return JSON.stringify(account[fact]);
}

const REGIONS: readonly Region[] = ['connection', 'discover', 'map', 'fallback', 'direct'];

function courseOf({ steps }: SideAccount, region: Region): string {
  const values = steps.filter((step) => step.region === region).map(({ value }) => value);
  return values.join(', then ');
}

function isSameCourse(region: Region, one: SideAccount, other: SideAccount): boolean {
  const [here, there] = [courseOf(one, region), courseOf(other, region)];
  const isCutOff = (part: string, whole: string): boolean => whole === `${part}, then ${LAST_STEPS[region]}`;
  return here === there || isCutOff(here, there) || isCutOff(there, here);
}

/** Of regions that may be cut off before them. */
const LAST_STEPS: Partial<Record<Region, string>> = { discover: 'gathered', fallback: 'relayed' };

/** Of milestones that both worlds have: one that is missing is missing in its region. */
function orderDifferences(simulated: SideAccount, kernel: SideAccount): string[] {
  const milestone = (name: string, region: Region, value: string): Milestone => ({
    name,
    simulated: timeOf(simulated, region, value),
    kernel: timeOf(kernel, region, value),
  });
  const relayed = milestone('the relayed path', 'fallback', 'relayed');
  const session = milestone('the session', 'connection', 'connected');
  const direct = milestone('the direct path', 'direct', 'direct');
  return [
    ...inversion(milestone('the dial', 'connection', 'traversing'), session, 0),
    ...inversion(milestone('checking', 'direct', 'checking'), direct, 0),
    ...inversion(relayed, direct, RACE),
    ...(needsRelay(relayed, direct) ? inversion(relayed, session, 0) : []),
  ];
}

interface Milestone {
  readonly name: string;
  readonly simulated: number | undefined;
  readonly kernel: number | undefined;
}

/** Whether the session was established over the relay in both worlds: nothing else stood. */
function needsRelay(relayed: Milestone, direct: Milestone): boolean {
  const isFirst = (world: 'simulated' | 'kernel'): boolean =>
    relayed[world] !== undefined && relayed[world] < (direct[world] ?? Number.POSITIVE_INFINITY);
  return isFirst('simulated') && isFirst('kernel');
}

/** What the simulator has less than `race` ms apart may come in any order in the kernel. */
function inversion(one: Milestone, other: Milestone, race: number): string[] {
  if (one.simulated === undefined || other.simulated === undefined) return [];
  if (one.kernel === undefined || other.kernel === undefined) return [];
  const [simulated, kernel] = [other.simulated - one.simulated, other.kernel - one.kernel];
  if (Math.abs(simulated) < race || simulated * kernel >= 0) return [];
  const first = (gap: number): string => (gap > 0 ? one : other).name;
  return [`${first(simulated)} comes first in the simulator, ${first(kernel)} in the kernel`];
}

function different(what: string, simulated: string | undefined, kernel: string | undefined): string[] {
  return simulated === kernel ? [] : [`${what} is ${simulated} in the simulator, ${kernel} in the kernel`];
}
