import { matrixMarkdown, type NatMatrix } from '../../src/testing/matrix/index.ts';

/** What docs/nat-matrix.md says, picture apart. */
export function matrixDocument(matrix: NatMatrix): string {
  return `${INTRODUCTION}\n${matrixMarkdown(matrix)}`;
}

const INTRODUCTION = `# The NAT matrix

Two peers, each behind what its row or column says: on which path does the default flow end? Every cell is a run on the
[simulated internet](simulator.md), in virtual time, and is compared with the oracle, which finds out from the topology alone what is
possible. Both ways: a pair that could be direct and is not is a bug of the flow, and one that is direct where nothing leads is a bug
of the simulator. \`npm run matrix\` makes this page and the picture anew; a test holds both to the code.

![Each pair of NATs by mapping and filtering: direct, relayed, or what direct would take](nat-matrix.svg)

## How to read it

- The row is the dialer, the column the listener. NATs are named by mapping and filtering (RFC 4787): EI endpoint-independent, AD
  address-dependent, APD address-and-port-dependent. EI/APD is the "port-restricted cone", APD/APD the "symmetric" NAT.
- _Random ports_, _ports kept_ (the internal port where it is free, else a random one) and _ports in sequence_ (the next one for each
  mapping) are the ways in which a NAT gives out external ports.
- _Strict filters_: each mapping has a filter of its own, and a packet that is let in changes nothing else. _Pinned flows_: it binds its flow to
  the mapping that it came to, so that the answer goes out there, unless the same two endpoints have a flow on another mapping already.
  _Flows as with Linux conntrack_: then, too, as the newcomer gets another source port inside; so the kernel does it in the laboratory
  ([test/lab](../test/lab)). Of the 45 pairs with random ports, 35 are direct with strict filters, 39 with pinned flows and as with conntrack:
  23, 29 and 31 of them by checks alone, the others by a spray.
- _Mapping_: the router makes port mappings for hosts that ask, here by PCP.
- Hosts are 80 ms from each other, there and back, and 40 ms from the server, which offers STUN on two addresses, and rendezvous with a
  relay on TCP port 443. Nothing is lost. Times are from the call of \`connect\`, two seconds after both peers have started.
- Probabilities and packets of what is missing are the oracle's: a spray is one of 256 sockets and 1,024 probes.
- Where the oracle says that what the flow does joins a pair only by chance, or only when one side is heard first, a run that ends relayed is
  shown as one without luck. One run does not tell bad luck from a bug.
- A cell that is short of what the flow could do is a failure of \`npm run matrix\`, unless a known reason is stated, which is then shown.

## Which cells there are

- All 45 unordered pairs of mapping x filtering, times three ways to give out ports, times a mapping service on neither side, on the
  dialer's, on the listener's and on both, with strict filters: 540 pairs, and 972 cells, as each of two unlike kinds is the dialer once. Without
  a mapping service also with pinned flows and as with Linux; with one every pair is joined, and they have nothing to add.
- Parity, which keeps ports odd or even, differs from random ports only in the odds of a spray: it stands among the other NATs.
- The presets of the simulator, each with each.
- Topologies by name: a public side, one NAT or one carrier above both, carriers above one, IPv6, firewalls, no UDP, NATs with other rules.

## The marks
`;
