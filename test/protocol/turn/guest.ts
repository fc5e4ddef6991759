import type { Clock, TimerHandle } from '../../../src/core/clock.ts';
import { type Endpoint, formatEndpoint } from '../../../src/core/endpoint.ts';
import type { Network } from '../../../src/core/network.ts';
import type { Random } from '../../../src/core/random.ts';
import {
  createTurnClient,
  createTurnStreamDecoder,
  type TurnClient,
  type TurnClientEvent,
  type TurnClientInput,
  type TurnClientOptions,
} from '../../../src/protocol/turn/index.ts';

/** Where a guest lives: the simulated internet, or this machine. */
export interface GuestWorld {
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
}

export type GuestOptions = Omit<TurnClientOptions, 'server' | 'random'>;

/** A program that has an allocation on a TURN server, and remembers what it hears. */
export class TurnGuest {
  readonly events: TurnClientEvent[] = [];
  /** `ms peer: text`. */
  readonly heard: string[] = [];
  readonly engine: TurnClient;
  /** Told of each event and of all data. */
  onChange: () => void = () => {};
  /** Where its datagrams go, and how it lets go of its socket. */
  transmit: (bytes: Uint8Array, to: Endpoint) => void = () => {};
  close: () => void = () => {};
  readonly #clock: Clock;
  #timer: TimerHandle | undefined;

  constructor(engine: TurnClient, clock: Clock) {
    this.engine = engine;
    this.#clock = clock;
  }

  get relayed(): Endpoint {
    const allocated = this.events.find((event) => event.type === 'allocated');
    if (allocated?.type !== 'allocated') throw new Error(`no allocation: ${JSON.stringify(this.events)}`);
    return allocated.relayed;
  }

  get last(): TurnClientEvent | undefined {
    return this.events.at(-1);
  }

  /** Types of the events so far. */
  get story(): string {
    return this.events.map(({ type }) => type).join(' ');
  }

  /** What it heard, without when and from whom. */
  get texts(): string[] {
    return this.heard.map((line) => line.slice(line.indexOf(': ') + 2));
  }

  do(...inputs: readonly TurnClientInput[]): void {
    for (const input of inputs) {
      this.engine.handle(input, this.#clock.now());
      this.#pump();
    }
  }

  say(text: string, peer: Endpoint): void {
    this.do({ type: 'send', peer, data: Buffer.from(text) });
  }

  /** Fulfils when it holds, by what happened or has happened before. */
  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (holds()) resolve();
      };
      this.onChange = look;
      look();
    });
  }

  #pump(): void {
    for (;;) {
      const output = this.engine.poll(this.#clock.now());
      switch (output.type) {
        case 'transmit':
          this.transmit(output.bytes, output.to);
          break;
        case 'data':
          this.heard.push(
            `${this.#clock.now()} ${formatEndpoint(output.peer)}: ${Buffer.from(output.data).toString()}`,
          );
          this.onChange();
          break;
        case 'event':
          this.events.push(output.event);
          if (output.event.type === 'ended' || output.event.type === 'failed') this.close();
          this.onChange();
          break;
        case 'wait':
          this.#wake(output.until);
          return;
      }
    }
  }

  #wake(at: number | undefined): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = at === undefined ? undefined : this.#clock.setTimeout(() => this.#pump(), at - this.#clock.now());
  }
}

/** Over UDP, from a port of its own; `address`: of this host, where not any. */
export async function udpGuest(
  { network, clock, random }: GuestWorld,
  server: Endpoint,
  options: GuestOptions,
  address?: string,
): Promise<TurnGuest> {
  const socket = await network.udp({ family: server.family, address });
  const guest = new TurnGuest(createTurnClient({ server, random, ...options }), clock);
  guest.transmit = (bytes, to) => socket.send(bytes, to);
  guest.close = () => socket.close();
  socket.datagrams$.subscribe(({ data, from }) => guest.do({ type: 'received', bytes: data, from }));
  return guest;
}

/** Over TCP. */
export async function tcpGuest(
  { network, clock, random }: GuestWorld,
  server: Endpoint,
  options: GuestOptions,
): Promise<TurnGuest> {
  const socket = await network.connect({ host: server.address, port: server.port });
  const guest = new TurnGuest(createTurnClient({ server, random, transport: 'tcp', ...options }), clock);
  const decoder = createTurnStreamDecoder();
  guest.transmit = (bytes) => void socket.write(bytes).catch(() => {});
  guest.close = () => socket.destroy();
  socket.bytes$.subscribe({
    next(chunk) {
      for (const bytes of decoder.decode(chunk)) guest.do({ type: 'received', bytes, from: server });
    },
    complete: () => guest.do({ type: 'disconnected' }),
    error: () => guest.do({ type: 'disconnected' }),
  });
  return guest;
}
