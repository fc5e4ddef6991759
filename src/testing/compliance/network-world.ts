import { firstValueFrom } from 'rxjs';
import { endpoint, type Family } from '../../core/endpoint.ts';
import type { ByteListener, ByteSocket, DatagramSocket, Network } from '../../core/network.ts';
import { Bench, type ComplianceWorld } from './suite.ts';

/** Two hosts that reach each other, or one that reaches itself. */
export interface NetworkWorld extends ComplianceWorld {
  /** The hosts of the two ends; may be one and the same. */
  readonly server: Network;
  readonly client: Network;
  /** Numeric address of the server's host, as the client's reaches it; its UDP sockets are bound to it. */
  readonly address: string;
  /** The same of the client's host; default: the server's, where both are one. */
  readonly clientAddress?: string;
}

export class NetworkBench extends Bench<NetworkWorld> {
  get server(): Network {
    return this.world.server;
  }

  get client(): Network {
    return this.world.client;
  }

  get address(): string {
    return this.world.address;
  }

  get family(): Family {
    return endpoint(this.address, 0).family;
  }

  async udp(on: Network, port = 0): Promise<DatagramSocket> {
    const { client, server, address, clientAddress = address } = this.world;
    const isClient = on === client && client !== server;
    return this.closeAfterwards(
      await on.udp({ family: this.family, address: isClient ? clientAddress : address, port }),
    );
  }

  async listen(port = 0): Promise<ByteListener> {
    return this.closeAfterwards(await this.server.listen({ address: this.address, port }));
  }

  async connect(listener: ByteListener, localPort?: number): Promise<ByteSocket> {
    const { port } = listener.local;
    const socket = await this.client.connect({ host: this.address, port, ...(localPort && { localPort }) });
    this.closeAfterwards({ close: () => socket.destroy() });
    return socket;
  }

  /** Both ends of one connection. */
  async connected(): Promise<{ client: ByteSocket; server: ByteSocket; listener: ByteListener }> {
    const listener = await this.listen();
    const accepted = firstValueFrom(listener.connections$);
    const client = await this.connect(listener);
    const server = await accepted;
    this.closeAfterwards({ close: () => server.destroy() });
    return { client, server, listener };
  }
}
