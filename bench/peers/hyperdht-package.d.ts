/** The part of hyperdht 6 that the bench uses; the package has no types, and is there only for who installed it. */
declare module 'hyperdht' {
  import type { Duplex } from 'node:stream';

  export default class DHT {
    constructor(options: { readonly bootstrap: readonly string[]; readonly host: string });
    readonly defaultKeyPair: { readonly publicKey: Uint8Array };
    fullyBootstrapped(): Promise<void>;
    createServer(onConnection: (socket: Duplex) => void): { listen(): Promise<void>; readonly publicKey: Uint8Array };
    connect(publicKey: Uint8Array): Duplex & { readonly opened: Promise<boolean> };
  }
}

declare module 'hyperdht/testnet.js' {
  export default function createTestnet(
    size: number,
  ): Promise<{ readonly bootstrap: readonly { readonly host: string; readonly port: number }[] }>;
}
