/**
 * A TCP port of the router leads to one of this machine until Ctrl-C: what `upnpc -a <this machine> 8080 8080 TCP` does, by UPnP too.
 * Prints where others can connect. Without a gateway that maps the port it says so, and exits with code 1.
 *
 * Run: `npx tsx examples/map-port.ts [internal port] [external port]`
 */
import { distinctUntilChanged, map } from 'rxjs';
import { formatEndpoint, type PortLeaseState } from 'sallyport';
import { upnpIgd } from 'sallyport/adapters/port-mapper/upnp-igd';
import { nodePortLeases } from 'sallyport/node';

const [internalPort = 8080, externalPort = internalPort] = process.argv.slice(2).map(Number);
const leases = nodePortLeases({ mappers: [upnpIgd()] });
process.once('SIGINT', () => void leases.close());

const lease = leases.keep({ protocol: 'tcp', internalPort, externalPort });
lease.ready.catch(() => {
  process.exitCode = 1;
  return leases.close();
});
lease.state$.pipe(map(describe), distinctUntilChanged()).subscribe((line) => console.log(line));

function describe(state: PortLeaseState): string {
  switch (state.state) {
    case 'mapping':
      return 'asking the router ..';
    case 'mapped':
      return `${formatEndpoint(state.mapping.external)} leads to ${formatEndpoint(state.mapping.internal)}`;
    case 'unavailable':
      return `no mapping: ${state.attempts.map(({ reason }) => reason).join('; ')}`;
    case 'released':
      return 'closed';
  }
}
