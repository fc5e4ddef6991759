import { firstValueFrom, lastValueFrom, Subject, switchMap, tap } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { nodeNetwork } from '../../src/adapters/node/index.ts';
import type { Endpoint } from '../../src/core/endpoint.ts';
import type { PortLeaseState } from '../../src/core/port-lease.ts';
import { eachConnection, echo, type MappedPortOptions, tcpServer, udpSocket } from '../../src/streams/index.ts';
import { fakeLeases } from '../fake-leases.ts';

const network = nodeNetwork();
const host = '127.0.0.1';

/** Servers that echo, each until it is closed or the test is finished. */
const servers = {
  tcp: (mapping: MappedPortOptions) =>
    new Promise<Serving>((resolve, reject) => {
      const serving = tcpServer(network, {
        address: host,
        mapping,
        onListening: (local) => queueMicrotask(() => resolve({ local, close: () => serving.unsubscribe() })),
      })
        .pipe(eachConnection(echo, () => {}))
        .subscribe({ error: reject });
      onTestFinished(() => serving.unsubscribe());
    }),
  udp: (mapping: MappedPortOptions) =>
    new Promise<Serving>((resolve, reject) => {
      const serving = udpSocket(network, { family: 4, address: host, mapping })
        .pipe(
          tap(({ local }) => queueMicrotask(() => resolve({ local, close: () => serving.unsubscribe() }))),
          switchMap((socket) => socket.datagrams$.pipe(tap(({ data, from }) => socket.send(data, from)))),
        )
        .subscribe({ error: reject });
      onTestFinished(() => serving.unsubscribe());
    }),
} as const;

interface Serving {
  readonly local: Endpoint;
  close(): void;
}

describe.each(['tcp', 'udp'] as const)('a %s socket with a mapping', (protocol) => {
  const serve = servers[protocol];

  it('asks for the port and address that it is bound to, and for what is wished', async () => {
    const leases = fakeLeases();
    const { local } = await serve({
      leases,
      externalPort: 8080,
      lifetime: 600,
      description: 'echo',
      onConflict: 'fail',
    });
    expect(leases.kept.map(({ request }) => request)).toEqual([
      {
        protocol,
        internalPort: local.port,
        internalAddress: host,
        externalPort: 8080,
        lifetime: 600,
        description: 'echo',
        onConflict: 'fail',
      },
    ]);
  });

  it('tells each state, until it is closed', async () => {
    const leases = fakeLeases();
    const states: PortLeaseState['state'][] = [];
    const { close } = await serve({ leases, onMapping: ({ state }) => states.push(state) });
    const [lease] = leases.kept;
    lease!.map();
    lease!.lose();
    lease!.fail();
    lease!.map();
    close();
    await leases.close();
    expect(states).toEqual(['mapping', 'mapped', 'mapping', 'unavailable', 'mapped']);
  });

  it('releases the mapping when it is closed, and leaves other leases alone', async () => {
    const leases = fakeLeases();
    const other = leases.keep({ protocol, internalPort: 9 });
    const { close } = await serve({ leases });
    const [, lease] = leases.kept;
    lease!.map();
    close();
    expect(await lastValueFrom(lease!.state$)).toEqual({ state: 'released' });
    expect([other.current.state, leases.closed]).toEqual(['mapping', false]);
  });

  it('goes on where no mapping is to be had', async () => {
    const leases = fakeLeases();
    const { local } = await serve({ leases });
    leases.kept[0]!.fail();
    expect(await echoed(protocol, local)).toBe('still there');
  });

  it('fails for a wish that makes no sense', async () => {
    await expect(serve({ leases: fakeLeases(), lifetime: 0 })).rejects.toMatchObject({ code: 'ERR_USAGE' });
  });
});

describe('mapPort', () => {
  it('leaves the address to the gateway where the socket is bound to all', async () => {
    const leases = fakeLeases();
    const bound = new Subject<Endpoint>();
    const serving = udpSocket(network, { family: 4, mapping: { leases } }).subscribe(({ local }) => bound.next(local));
    const { port } = await firstValueFrom(bound);
    serving.unsubscribe();
    expect(leases.kept.map(({ request }) => request)).toEqual([{ protocol: 'udp', internalPort: port }]);
  });

  it('takes the address that the caller names', async () => {
    const leases = fakeLeases();
    const serving = await servers.tcp({ leases, internalAddress: '192.168.0.10' });
    serving.close();
    expect(leases.kept[0]!.request.internalAddress).toBe('192.168.0.10');
  });

  it('asks for nothing when unsubscribed while the socket opens', async () => {
    const leases = fakeLeases();
    udpSocket(network, { family: 4, address: host, mapping: { leases } }).subscribe().unsubscribe();
    const later = await network.udp({ family: 4, address: host });
    later.close();
    expect(leases.kept).toEqual([]);
  });
});

async function echoed(protocol: 'tcp' | 'udp', { address, port }: Endpoint): Promise<string> {
  const question = Buffer.from('still there');
  if (protocol === 'tcp') {
    const socket = await network.connect({ host: address, port });
    await socket.write(question);
    const answer = await socket.read();
    socket.destroy();
    return Buffer.from(answer!).toString();
  }
  const socket = await network.udp({ family: 4, address: host });
  const answer = firstValueFrom(socket.datagrams$);
  socket.send(question, { address, port, family: 4 });
  const { data } = await answer;
  socket.close();
  return Buffer.from(data).toString();
}
