import { firstValueFrom } from 'rxjs';
import { afterEach, beforeEach } from 'vitest';
import { endpoint, type Family } from '../../core/endpoint.ts';
import type { ByteListener, ByteSocket, DatagramSocket, Network } from '../../core/network.ts';

export interface NetworkUnderTest {
  /** The hosts of the two ends; may be one and the same. */
  readonly server: Network;
  readonly client: Network;
  /** Numeric address of the server's host, as the client's reaches it; its UDP sockets are bound to it. */
  readonly address: string;
  /** The same of the client's host; default: the server's, where both are one. */
  readonly clientAddress?: string;
  close(): void;
}

/** A fresh network for each test, and short ways to open things on it that are closed when the test is over. */
export class NetworkWorld {
  #current!: NetworkUnderTest;
  readonly #opened: { close(): unknown }[] = [];

  /** Call inside `describe`. */
  constructor(create: () => NetworkUnderTest) {
    beforeEach(() => {
      this.#current = create();
    });
    afterEach(() => {
      for (const resource of this.#opened.splice(0)) resource.close();
      this.#current.close();
    });
  }

  get server(): Network {
    return this.#current.server;
  }

  get client(): Network {
    return this.#current.client;
  }

  get address(): string {
    return this.#current.address;
  }

  get family(): Family {
    return endpoint(this.address, 0).family;
  }

  closeAfterwards(resource: { close(): unknown }): void {
    this.#opened.push(resource);
  }

  async udp(on: Network, port = 0): Promise<DatagramSocket> {
    const { client, server, address, clientAddress = address } = this.#current;
    const isClient = on === client && client !== server;
    const socket = await on.udp({ family: this.family, address: isClient ? clientAddress : address, port });
    this.closeAfterwards(socket);
    return socket;
  }

  async listen(port = 0): Promise<ByteListener> {
    const listener = await this.server.listen({ address: this.address, port });
    this.closeAfterwards(listener);
    return listener;
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
