/** Something that holds connections, as `bench/thousand.ts` measures it. Each of its parts runs in a process of its own. */
export interface System {
  /** What the two sides need besides each other; gives its address, or an empty text where nothing is needed. */
  serve(): Promise<string>;
  /** The side that is connected to. */
  listen(server: string): Promise<Listening>;
  /** The side that connects. */
  dial(address: string, server: string): Promise<Dialing>;
}

export interface Listening {
  /** What dialers need to know. */
  readonly address: string;
  /** Connections that stand. */
  held(): number;
}

export interface Dialing {
  /** One more connection; fulfils when data goes both ways on the path that stays, with what ends it. */
  connect(): Promise<() => void | Promise<void>>;
}
