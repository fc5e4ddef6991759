import type { Command } from 'commander';
import { TraversalError } from '../index.ts';
import type { Replay } from '../trace/index.ts';
import { colors } from './colors.ts';
import { type CommandContext, runCommand } from './command.ts';
import type { ExitCode } from './exit-code.ts';
import type { Reporter } from './reporter.ts';
import { readLines } from './trace-lines.ts';

export function addReplay(program: Command): void {
  program
    .command('replay')
    .description('replay a trace that --trace wrote, and tell whether everything goes as it went then')
    .argument('<trace>', 'the file')
    .option('--json', 'tell what happens as JSON, one object a line')
    .option('--verbose', 'tell everything on stderr')
    .addHelpText(
      'after',
      `
A simulated run is run again and compared record by record. Of a real run, the charts take the events that were recorded. Exit code: 0 the
same, 1 it differs, 2 no trace.`,
    )
    .action((path: string, options: { json?: boolean; verbose?: boolean }) =>
      runCommand(options, (context) => replay(path, context)),
    );
}

async function replay(path: string, { reporter }: CommandContext): Promise<ExitCode> {
  // The simulator is for those who need it: the other commands start without it.
  const { replayTrace } = await import('../trace/index.ts');
  try {
    const outcome = await replayTrace(readLines(path));
    tell(outcome, reporter);
    return outcome.differs === undefined ? 0 : 1;
  } catch (error) {
    if (!(error instanceof TraversalError)) throw error;
    reporter.error(error);
    return 2;
  }
}

function tell({ header, replayedBy, records, differs }: Replay, reporter: Reporter): void {
  const { world, sallyport } = header;
  reporter.event('replayed', { same: differs === undefined, world, sallyport, replayedBy, records, ...differs });
  if (reporter.json) return;
  const run = `a ${world} run, recorded by sallyport ${sallyport}`;
  if (differs === undefined) {
    reporter.print(`${colors.green('same')}: ${records} records of ${run}`);
    return;
  }
  const { line, expected = 'nothing: the trace ends here', got = 'nothing: the replay has ended' } = differs;
  reporter.print(`${colors.red('differs')} at line ${line}, after ${records} records that are the same, of ${run}`);
  reporter.print(`  expected  ${expected}`);
  reporter.print(`  got       ${got}`);
  if (sallyport !== replayedBy)
    reporter.print(`  versions  recorded by sallyport ${sallyport}, replayed by sallyport ${replayedBy}`);
}
