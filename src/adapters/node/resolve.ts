import { lookup } from 'node:dns/promises';
import { endpoint, type Family } from '../../core/endpoint.ts';
import { TraversalError } from '../../core/errors.ts';
import { parseIp } from '../../core/ip-address.ts';
import { abortedError, systemError } from './system-error.ts';

/**
 * Numeric addresses of a host, in the order the system prefers (RFC 6724); a numeric address is its own answer, in
 * canonical text. The system's lookup cannot be stopped: after an abort its answer is thrown away. Errors: those of
 * `Network.resolve`.
 */
export async function resolveHost(
  host: string,
  { family, signal }: { family?: Family; signal?: AbortSignal } = {},
): Promise<readonly string[]> {
  const doing = `resolving ${host}`;
  if (signal?.aborted) throw abortedError(doing, signal);
  if (parseIp(host) !== undefined) return [literal(host, family, doing)];
  try {
    const answers = await unlessAborted(lookup(host, { all: true, family: family ?? 0 }), doing, signal);
    return answers.map(({ address }) => address);
  } catch (error) {
    throw systemError(error, doing);
  }
}

function literal(host: string, family: Family | undefined, doing: string): string {
  const own = endpoint(host, 0);
  if (family === undefined || family === own.family) return own.address;
  throw new TraversalError('ERR_RESOLVE', `${doing}: it is an IPv${own.family} address, and IPv${family} is asked for`);
}

function unlessAborted<T>(answer: Promise<T>, doing: string, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return answer;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(abortedError(doing, signal));
    signal.addEventListener('abort', onAbort, { once: true });
    answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
