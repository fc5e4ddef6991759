import { readFileSync } from 'node:fs';
import { TraversalError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { StandardInput } from './standard-input.ts';

/** The ticket itself, `-` for the first line of stdin, `@file`, or SALLYPORT_TICKET when absent. Throws `ERR_USAGE`. */
export async function readTicket(argument: string | undefined, stdin: StandardInput, log: Log): Promise<string> {
  const text = argument ?? process.env.SALLYPORT_TICKET;
  if (text === undefined || text === '') {
    throw new TraversalError(
      'ERR_USAGE',
      'which ticket? Give it as the argument, as @file, as - for stdin, or in SALLYPORT_TICKET',
    );
  }
  if (text === '-') {
    log('ticket.awaited', { from: 'stdin' });
    return stdin.readLine();
  }
  if (!text.startsWith('@')) return text;
  try {
    return readFileSync(text.slice(1), 'utf8').trim();
  } catch (error) {
    throw new TraversalError('ERR_USAGE', `cannot read the ticket from ${text.slice(1)}: ${String(error)}`, {
      cause: error,
    });
  }
}
