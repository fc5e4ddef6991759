import { type RunningServer, type ServerOptions, startServer } from '../../src/node.ts';

/** A rendezvous server in the test's own process, on free ports of loopback; `await using` closes it. */
export async function startTestServer(options: Partial<ServerOptions> = {}): Promise<RunningServer & AsyncDisposable> {
  const server = await startServer({ port: 0, stunPort: 0, ...options });
  return Object.assign(server, { [Symbol.asyncDispose]: () => server.close() });
}
