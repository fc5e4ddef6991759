/**
 * Whether the simulated internet runs the same way twice: one scenario for each seed, drawn from it, run two times, and both whole
 * traces compared line by line. Run: `npx tsx bench/determinism.ts [seeds, default 1000] [first, default 1]`. Ends with status 1 where
 * two traces differ.
 */
import { drawn } from '../test/scenario/drawn.ts';
import { firstDifference, wholeTrace } from '../test/scenario/whole-trace.ts';

const [count = 1_000, first = 1] = process.argv.slice(2).map(Number);
const startedAt = performance.now();
const startCpu = process.cpuUsage();
const outcomes = new Map<string, number>();
let records = 0;
let virtual = 0;

for (let seed = first; seed < first + count; seed++) {
  const [one, other] = [await wholeTrace(drawn(seed)), await wholeTrace(drawn(seed))];
  const difference = firstDifference(one, other);
  if (difference !== undefined) {
    process.exitCode = 1;
    console.log(`seed ${seed} differs in ${difference}`);
  }
  const { dials, endedAt, leftOver } = one.outcome;
  if (leftOver.timers + leftOver.sockets > 0) {
    process.exitCode = 1;
    console.log(`seed ${seed} left ${leftOver.timers} timers and ${leftOver.sockets} sockets`);
  }
  records += one.lines.length;
  virtual += 2 * endedAt;
  for (const { outcome } of dials) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
}

const seconds = (performance.now() - startedAt) / 1_000;
const { user, system } = process.cpuUsage(startCpu);
const cpu = (user + system) / 1_000_000;
console.log(`${count} seeds from ${first} on, each run twice; ${Math.round(records / count)} lines a trace`);
console.log([...outcomes].map(([outcome, times]) => `${outcome} ${times}`).join(', '));
console.log(
  `${seconds.toFixed(1)} s, ${cpu.toFixed(1)} s of CPU: ${((1_000 * cpu) / (2 * count)).toFixed(1)} ms of CPU a run, ` +
    `virtual time ${(virtual / 1_000 / cpu).toFixed(0)} times as fast as CPU time`,
);
