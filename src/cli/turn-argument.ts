import { readFileSync } from 'node:fs';
import { TraversalError } from '../core/errors.ts';

/**
 * TURN servers of one `--turn`: itself, or what `@file` names, one a line, so that no password shows in the list of processes. Throws
 * `ERR_USAGE`.
 */
export function readTurnServers(argument: string): readonly string[] {
  if (!argument.startsWith('@')) return [argument];
  const file = argument.slice(1);
  const servers = read(file)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (servers.length === 0) throw new TraversalError('ERR_USAGE', `--turn: there is no TURN server in ${file}`);
  return servers;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new TraversalError('ERR_USAGE', `--turn: cannot read ${file}: ${String(error)}`, { cause: error });
  }
}
