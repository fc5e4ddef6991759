import { TraversalError } from '../index.ts';
import { type Outcome, type RunEvent, type RunWatch, runScenario, type Scenario } from '../sim.ts';
import { type CommandContext, whenAborted } from './command.ts';
import type { DemoOptions } from './demo.ts';
import { describeEnd } from './demo-end.ts';
import { readPreset } from './demo-presets.ts';
import { DemoStory } from './demo-story.ts';
import { type DemoWorld, demoScenario, describeWorld } from './demo-world.ts';
import type { ExitCode } from './exit-code.ts';
import type { Reporter } from './reporter.ts';
import { openTraceFile } from './trace-file.ts';

/** The demo on the simulated internet. Exit code 1 when the peers found no connection. Throws `ERR_USAGE`. */
export async function simulatedDemo(
  options: Pick<DemoOptions, 'a' | 'b' | 'seed' | 'trace' | 'inspect'>,
  { reporter, signal }: Pick<CommandContext, 'reporter' | 'signal'>,
): Promise<ExitCode> {
  const world: DemoWorld = {
    a: readPreset(options.a ?? 'home-router', '--a'),
    b: readPreset(options.b ?? 'carrier', '--b'),
    seed: options.seed ?? 1,
  };
  const scenario = demoScenario(world);
  for (const line of describeWorld(world, scenario)) reporter.print(line);
  const story = new DemoStory(reporter.print);
  const watch = (event: RunEvent): void => {
    if (signal.aborted) return;
    story.see(event);
    logTo(reporter, event);
  };
  // A run cannot be stopped, and takes no time to speak of: the rest of it goes unseen.
  const interrupted = whenAborted(signal).then(() => {
    throw new TraversalError('ERR_ABORTED', 'the demo was interrupted');
  });
  const lines: string[] | undefined = options.inspect ? [] : undefined;
  const outcome = await Promise.race([run(scenario, watch, { lines, path: options.trace, signal }), interrupted]);
  story.end();
  for (const line of describeEnd(scenario, outcome)) reporter.print(line);
  if (lines !== undefined) await show(lines, reporter, signal);
  return outcome.dials.every(({ ready }) => ready !== undefined) ? 0 : 1;
}

interface Recording {
  /** Takes the lines of the trace. */
  readonly lines: string[] | undefined;
  /** Of the file that takes them. */
  readonly path: string | undefined;
  readonly signal: AbortSignal;
}

async function run(scenario: Scenario, watch: RunWatch, { lines, path, signal }: Recording): Promise<Outcome> {
  if (path === undefined && lines === undefined) return runScenario(scenario, { watch });
  const { recordTrace } = await import('../trace/index.ts');
  const file = path === undefined ? undefined : openTraceFile(path);
  signal.addEventListener('abort', () => file?.close(), { once: true });
  const sink = (line: string): void => {
    file?.sink(line);
    lines?.push(line);
  };
  try {
    return await recordTrace(scenario, sink, { watch });
  } finally {
    file?.close();
  }
}

/** Until Ctrl-C. */
async function show(lines: readonly string[], reporter: Reporter, signal: AbortSignal): Promise<void> {
  const { startHub } = await import('../inspector/index.ts');
  const hub = await startHub();
  hub.show('demo', lines);
  reporter.print('');
  reporter.print(`inspector  ${hub.url}   until Ctrl-C`);
  await whenAborted(signal);
  await hub.close();
}

function logTo({ log }: Reporter, event: RunEvent): void {
  if (event.type === 'log') log(event.event, { at: event.at, who: event.who, ...event.fields });
}
