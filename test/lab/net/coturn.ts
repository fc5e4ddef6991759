import type { Host } from './host.ts';
import type { LabProcess } from './lab-process.ts';

/** The port of {@link startCoturn}; RFC 5780's alternate port is the next one. */
export const COTURN_PORT = 3478;

/**
 * Runs a coturn on all addresses of a host, over UDP and TCP; with two of them it speaks RFC 5780. `options` are turnserver's
 * own; by default it is a STUN server only. Fulfils when it answers.
 */
export async function startCoturn(
  host: Host,
  options: readonly string[] = ['--stun-only', '--no-auth'],
): Promise<LabProcess> {
  const server = host.spawn('turnserver', [
    '-n', // no configuration file
    ...host.addresses.map((address) => `--listening-ip=${address}`),
    `--listening-port=${COTURN_PORT}`,
    '--no-tls',
    '--no-dtls',
    '--no-cli',
    '--log-file=stdout',
    '--pidfile=/dev/null',
    ...options,
  ]);
  await server.line(/Total General servers/); // its sockets are bound by then
  return server;
}
