import { fileURLToPath } from 'node:url';
import type { Family } from '../../../../src/core/endpoint.ts';
import type { Dependence } from '../../../../src/core/nat-behavior.ts';
import type { LabProcess } from '../lab-process.ts';
import type { NetworkNamespace } from '../network-namespace.ts';

/** What `nat.mjs` finds. */
export interface NatObservation {
  /** Absent when no test was answered; so is `filtering`. */
  readonly mapping?: Dependence;
  readonly filtering?: Dependence;
  /** Local port of the mapping tests. */
  readonly local: number;
  /** `address:port` as three endpoints of the server saw it; empty when none answered. */
  readonly mapped: readonly string[];
}

/** The NAT in front of a host, by the tests of RFC 5780 against a server that knows them. `patience` in ms, a test. */
export async function probeNat(
  host: NetworkNamespace,
  server: { address: string; port: number },
  patience = 500,
): Promise<NatObservation> {
  const args = [NAT, server.address, String(server.port), String(patience)];
  return JSON.parse(await host.run(process.execPath, args));
}

/** A UDP socket on a host. */
export class UdpProbe {
  /** Local port. */
  readonly port: number;
  readonly #process: LabProcess;
  /** Reports of datagrams that came while another answer was awaited. */
  readonly #waiting: string[] = [];

  private constructor(process: LabProcess, port: number) {
    this.#process = process;
    this.port = port;
  }

  static async open(host: NetworkNamespace, port = 0, family: Family = 4): Promise<UdpProbe> {
    const socket = host.spawn(process.execPath, [UDP, String(port), String(family)]);
    const bound = await socket.line(/^bound (\d+)$/);
    return new UdpProbe(socket, Number(bound[1]));
  }

  /** `count` of more than 150 may be more than the receiver's buffer holds: 255, of which the kernel gives back a quarter late. */
  async send(address: string, port: number, text: string, count = 1): Promise<void> {
    this.#process.stdin.write(`send ${address} ${port} ${count} ${text}\n`);
    await this.#answer(/^sent$/);
  }

  /** The next datagram whose text matches; earlier ones are passed over. */
  async receive(pattern: RegExp): Promise<{ address: string; port: number; text: string }> {
    for (;;) {
      const report = this.#waiting.shift() ?? (await this.#process.line(DATAGRAM))[0];
      const [, address, port, text] = DATAGRAM.exec(report)!;
      if (pattern.test(text!)) return { address: address!, port: Number(port), text: text! };
    }
  }

  /** How many datagrams with this text come before the first one whose text is `last`. */
  async countUntil(last: string, counted: string): Promise<number> {
    for (let count = 0; ; ) {
      const { text } = await this.receive(/^/);
      if (text === last) return count;
      if (text === counted) count += 1;
    }
  }

  /** From now on sends back whatever comes. */
  async echo(): Promise<void> {
    this.#process.stdin.write('echo\n');
    await this.#answer(/^echoing$/);
  }

  /** Round trips in ms to a socket that echoes, one after the other. */
  async ping(address: string, port: number, count: number): Promise<number[]> {
    this.#process.stdin.write(`ping ${address} ${port} ${count}\n`);
    const rtts: number[] = [];
    while (rtts.length < count) rtts.push(Number((await this.#answer(/^rtt (\S+)$/))[1]));
    return rtts;
  }

  async #answer(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const line = await this.#process.line(/^/);
      const match = pattern.exec(line.input);
      if (match !== null) return match;
      this.#waiting.push(line.input);
    }
  }
}

const DATAGRAM = /^from (\S+) (\d+) (.*)$/;

/** Sends `bytes` bytes to everyone who connects to one of the ports. */
export async function serveTcp(host: NetworkNamespace, bytes: number, ports: readonly number[]): Promise<LabProcess> {
  const server = host.spawn(process.execPath, [TCP, 'serve', String(bytes), ...ports.map(String)]);
  await server.line(/^serving$/);
  return server;
}

export type TcpObservation =
  | { readonly outcome: 'fetched'; readonly bytes: number; readonly seconds: number }
  | { readonly outcome: 'timeout' | `E${string}` };

/** Connects, within `patience` ms, and reads to the end. */
export async function fetchTcp(
  host: NetworkNamespace,
  address: string,
  port: number,
  patience = 500,
): Promise<TcpObservation> {
  const args = [TCP, 'fetch', address, String(port), String(patience)];
  return JSON.parse(await host.run(process.execPath, args));
}

const NAT = fileURLToPath(new URL('./nat.mjs', import.meta.url));
const UDP = fileURLToPath(new URL('./udp.mjs', import.meta.url));
const TCP = fileURLToPath(new URL('./tcp.mjs', import.meta.url));
