import { basename } from 'node:path';
import type { Command } from 'commander';
import { TraversalError } from '../index.ts';
import { type CommandContext, runCommand, whenAborted } from './command.ts';
import type { ExitCode } from './exit-code.ts';
import { parsePort } from './peer-options.ts';
import { readLines } from './trace-lines.ts';

interface InspectOptions {
  readonly port: number;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

export function addInspect(program: Command): void {
  program
    .command('inspect')
    .description('watch connections in a browser: their charts, packets and paths, live or from traces')
    .argument('[trace...]', 'files that --trace wrote')
    .option('--port <port>', 'TCP port of 127.0.0.1; 0: any free one', parsePort, 8791)
    .option('--json', 'tell what happens as JSON, one object a line')
    .option('--verbose', 'tell everything on stderr')
    .addHelpText(
      'after',
      `
Serves the page on this machine only, to whoever has the token that stands in its URL, until Ctrl-C. Programs are watched that are given the
second URL: \`sallyport connect .. --inspect <url>\`, or the environment variable SALLYPORT_INSPECT, or \`observe\` of sallyport/inspector.`,
    )
    .action((traces: readonly string[], options: InspectOptions) =>
      runCommand(options, (context) => inspect(traces, options, context)),
    );
}

async function inspect(
  traces: readonly string[],
  { port }: InspectOptions,
  { reporter, signal }: CommandContext,
): Promise<ExitCode> {
  const { startHub } = await import('../inspector/index.ts');
  const hub = await startHub({ port });
  try {
    for (const path of traces) {
      try {
        hub.show(basename(path), readLines(path));
      } catch (error) {
        if (!(error instanceof TraversalError)) throw error;
        // Whoever gave a wrong file is told so with its name, and no page is left behind.
        reporter.error(new TraversalError(error.code, `${path}: ${error.message}`, { cause: error }));
        return 2;
      }
    }
    reporter.event('inspector', { url: hub.url, programs: hub.programUrl });
    if (!reporter.json) {
      reporter.print(`page      ${hub.url}`);
      reporter.print(`programs  ${hub.programUrl}`);
    }
    await whenAborted(signal);
    return 0;
  } finally {
    await hub.close();
  }
}
