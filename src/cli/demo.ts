import { type Command, InvalidArgumentError } from 'commander';
import { TraversalError } from '../index.ts';
import { runCommand } from './command.ts';

export interface DemoOptions {
  readonly a?: string;
  readonly b?: string;
  readonly seed?: number;
  readonly real?: boolean;
  readonly trace?: string;
  readonly inspect?: boolean;
  readonly verbose?: boolean;
}

export function addDemo(program: Command): void {
  const command = program
    .command('demo')
    .description('the main job by itself: two homes on a simulated internet, a relayed start, then a direct path')
    .option('--a <preset>', 'what the dialer is behind (default: home-router)')
    .option('--b <preset>', 'what the listener is behind (default: carrier)')
    .option('--seed <n>', 'of all chance: the same seed tells the same story (default: 1)', parseSeed)
    .option('--real', 'on this machine’s real sockets instead: a server and two peers in two processes')
    .option('--inspect', 'show it in the inspector, until Ctrl-C')
    .option('--no-inspect', 'print the text, and nothing else (the default)')
    .option('--trace <file>', 'write what happens to this file, for `sallyport replay`')
    .option('--verbose', 'tell everything on stderr')
    .action((options: DemoOptions) =>
      runCommand(options, async (context) => {
        checkWorld(options);
        // Each world is loaded for those who want it: the simulator needs no QUIC, and the real one no simulator.
        if (options.real) return (await import('./demo-real.ts')).realDemo(context);
        return (await import('./demo-simulated.ts')).simulatedDemo(options, context);
      }),
    );
  program.hook('preSubcommand', async (_, chosen) => {
    if (chosen === command) command.addHelpText('after', (await import('./demo-presets.ts')).presetHelp());
  });
}

/** Throws `ERR_USAGE` for options that go with the other world. */
function checkWorld({ real, a, b, seed, trace, inspect }: DemoOptions): void {
  if (!real || [a, b, seed, trace, inspect].every((option) => option === undefined)) return;
  throw new TraversalError(
    'ERR_USAGE',
    '--a, --b, --seed, --trace and --inspect are of the simulated internet: leave --real out',
  );
}

function parseSeed(text: string): number {
  const seed = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(seed)) throw new InvalidArgumentError('A seed is a whole number.');
  return seed;
}
