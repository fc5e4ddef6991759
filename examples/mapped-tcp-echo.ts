/**
 * A TCP echo server that hosts outside can reach: it maps its port at the router, by whichever protocol that speaks, until Ctrl-C.
 * Prints where to connect from elsewhere, and each conversation. Without a gateway that maps the port it says so, and exits with
 * code 1.
 *
 * Run: `npx tsx examples/mapped-tcp-echo.ts [port]`
 */
import { formatEndpoint, type PortLeaseState } from 'sallyport';
import { nodeNetwork, nodePortLeases } from 'sallyport/node';
import { eachConnection, echo, tcpServer } from 'sallyport/streams';

const port = Number(process.argv[2] ?? 7007);
const leases = nodePortLeases();
let reachedAt = '';

const server = tcpServer(nodeNetwork(), { address: '0.0.0.0', port, mapping: { leases, onMapping } })
  .pipe(eachConnection(echo, (error, { remote }) => console.log(`${formatEndpoint(remote)} failed: ${String(error)}`)))
  .subscribe((length) => console.log(`echoed ${length} bytes`));
process.once('SIGINT', () => void close());

function onMapping(state: PortLeaseState): void {
  if (state.state === 'mapped') {
    // Told after each renewal, too.
    const external = formatEndpoint(state.mapping.external);
    if (external !== reachedAt) console.log(`connect to ${external} (reach: ${state.mapping.reach})`);
    reachedAt = external;
  } else if (state.state === 'unavailable') {
    console.log('not reachable from outside:');
    for (const { via, reason } of state.attempts) console.log(`  ${via}: ${reason}`);
    process.exitCode = 1;
    void close();
  }
}

/** Closing the leases waits for the gateway to remove the mapping. */
async function close(): Promise<void> {
  server.unsubscribe();
  await leases.close();
}
