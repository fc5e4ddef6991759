import { describe, expect, it } from 'vitest';
import { endpoint } from '../../../src/core/endpoint.ts';
import { icmpPacket, tcpPacket } from '../../../src/sim/packet.ts';
import { readAll, TcpPair } from './pair.ts';

describe('the end of a TCP connection', () => {
  it('comes for each direction by itself', async () => {
    const pair = new TcpPair();
    const { client, server } = await pair.connected();
    const segments = pair.segments();
    await client.write(Uint8Array.of(1));
    await client.end();
    expect([...(await pair.world.clock.runUntil(readAll(server)))]).toEqual([1]);
    expect([client.connection.state, server.connection.state]).toEqual(['fin-wait-1', 'close-wait']);
    await pair.world.clock.advance(100);
    expect(client.connection.state).toBe('fin-wait-2');
    await server.write(Uint8Array.of(2, 3));
    await server.end();
    expect([...(await pair.world.clock.runUntil(readAll(client)))]).toEqual([2, 3]);
    await pair.world.clock.runUntil(Promise.all([client.closed, server.closed]));
    await pair.world.clock.advance(100);
    expect([client.connection.state, server.connection.state]).toEqual(['time-wait', 'closed']);
    expect(segments.map((line) => line.split(' ').slice(1).join(' '))).toEqual([
      'client ACK 1',
      'client FIN-ACK',
      'server ACK',
      'server ACK',
      'server ACK 2',
      'server FIN-ACK',
      'client ACK',
      'client ACK',
    ]);
  });

  it('leaves nothing behind after a minute', async () => {
    const pair = new TcpPair();
    const { client, server } = await pair.connected();
    await Promise.all([client.end(), server.end()]);
    await pair.world.clock.advance(1_000);
    expect([client.connection.state, server.connection.state]).toEqual(['time-wait', 'time-wait']);
    await pair.world.clock.run();
    expect(pair.world.clock.now()).toBeLessThan(62_000);
    expect([pair.client.tcp.size, pair.server.tcp.size, pair.world.clock.pending]).toEqual([0, 0, 0]);
  });

  it('is what a program has to do with all that it opened: until then it is held', async () => {
    const pair = new TcpPair();
    const held = (): number[] => [pair.client.tcp.open, pair.server.tcp.open];
    const dialing = pair.connected();
    expect(held()).toEqual([1, 1]);
    const { client, server } = await dialing;
    expect(held()).toEqual([1, 2]);
    await server.end();
    await pair.world.clock.advance(100);
    expect(held()).toEqual([1, 1]);
    client.destroy();
    expect(held()).toEqual([0, 1]);
    expect(pair.client.tcp.size).toBe(1);
  });

  it('is repeated until it is acknowledged', async () => {
    const pair = new TcpPair();
    const { client, server } = await pair.connected();
    let lost = 0;
    pair.swallow(pair.server, (packet) => packet.protocol === 'tcp' && packet.segment.fin && lost++ < 2);
    await client.end();
    expect(await pair.world.clock.runUntil(server.read())).toBeNull();
    expect(lost).toBe(3);
  });

  it('by destroy with everything read is a FIN, and RST to whoever goes on', async () => {
    const pair = new TcpPair();
    const { client, server } = await pair.connected();
    client.destroy();
    expect(await pair.world.clock.runUntil(server.read())).toBeNull();
    const segments = pair.segments();
    await server.write(Uint8Array.of(1));
    await pair.world.clock.advance(100);
    expect(segments.map((line) => line.split(' ').slice(1).join(' '))).toEqual(['server ACK 1', 'client RST']);
    await expect(server.write(Uint8Array.of(1))).rejects.toMatchObject({ code: 'ERR_CONNECTION_RESET' });
    await server.closed;
  });

  it('by destroy with something unread is a RST', async () => {
    const pair = new TcpPair();
    const { client, server } = await pair.connected();
    await server.write(Uint8Array.of(1));
    await pair.world.clock.advance(100);
    client.destroy();
    await expect(pair.world.clock.runUntil(server.read())).rejects.toMatchObject({ code: 'ERR_CONNECTION_RESET' });
    expect(pair.server.tcp.size).toBe(0);
  });

  it('does not wait for ever for the other side’s, once nobody is there', async () => {
    const pair = new TcpPair();
    const { client } = await pair.connected();
    client.destroy();
    await pair.world.clock.advance(59_000);
    expect(pair.client.tcp.size).toBe(1);
    await pair.world.clock.advance(2_000);
    expect(pair.client.tcp.size).toBe(0);
  });

  it('comes without a word when the host goes down, and with RST to whoever asks it later', async () => {
    const pair = new TcpPair();
    const { client, server } = await pair.connected();
    const reading = server.read().catch((error) => error.code);
    pair.world.happen({ type: 'restart', host: 'server', downFor: 100 });
    expect(await pair.world.clock.runUntil(reading)).toBe('ERR_NETWORK');
    await client.write(Uint8Array.of(1));
    await expect(pair.world.clock.runUntil(client.read())).rejects.toMatchObject({ code: 'ERR_CONNECTION_RESET' });
  });

  it('does not come by a forged RST, SYN or ICMP error', async () => {
    const pair = new TcpPair();
    const { client, server } = await pair.connected();
    const forge = (segment: object): void => {
      pair.server.send(tcpPacket(server.local, client.local, segment));
    };
    forge({ rst: true, sequence: 12_345 });
    forge({ syn: true, sequence: 12_345 });
    forge({ ack: true, acknowledgement: 12_345 });
    pair.server.send(icmpPacket(server.local.address, tcpPacket(client.local, server.local, {}), 'host-unreachable'));
    await pair.world.clock.advance(100);
    await client.write(Uint8Array.of(1));
    expect([...(await pair.world.clock.runUntil(server.read()))!]).toEqual([1]);
    expect(client.connection.state).toBe('established');
  });

  it('reaches writers and readers that wait', async () => {
    const pair = new TcpPair();
    const { client } = await pair.connected();
    const [writing, reading] = [client.write(new Uint8Array(8 * 2 ** 20)), client.read()];
    client.destroy();
    client.destroy();
    await expect(writing).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    await expect(reading).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    await client.end();
    await client.closed;
    await pair.world.clock.run();
    expect(pair.client.tcp.size).toBe(0);
  });

  it('is the end of a segment for nobody, too: RST tells which one is meant (RFC 9293 section 3.5.2)', async () => {
    const pair = new TcpPair();
    const answers: object[] = [];
    pair.world.watch(({ place, fate, packet }) => {
      if (place === 'server' && fate === 'sent' && packet.protocol === 'tcp') answers.push(packet.segment);
    });
    const [from, to] = [
      endpoint(pair.client.sourceFor('192.0.2.1')!, 1),
      endpoint(pair.server.sourceFor('192.0.2.1')!, 2),
    ];
    for (const segment of [
      { syn: true, sequence: 0xffff_ffff },
      { fin: true, sequence: 10, payload: new Uint8Array(5) },
      { ack: true, acknowledgement: 77 },
      { rst: true },
    ]) {
      pair.client.send(tcpPacket(from, to, segment));
    }
    await pair.world.clock.run();
    expect(answers).toMatchObject([
      { rst: true, ack: true, sequence: 0, acknowledgement: 0 },
      { rst: true, ack: true, sequence: 0, acknowledgement: 16 },
      { rst: true, ack: false, sequence: 77 },
    ]);
    expect(answers).toHaveLength(3);
  });
});
