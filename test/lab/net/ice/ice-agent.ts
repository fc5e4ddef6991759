import { fileURLToPath } from 'node:url';
import type { IceRole } from '../../../../src/protocol/ice/index.ts';
import { cProgram } from '../c-program.ts';
import type { LabProcess } from '../lab-process.ts';
import type { NetworkNamespace } from '../network-namespace.ts';

/** Whose agent it is. */
export type IceAgentKind = 'sallyport' | 'werift' | 'libnice';

/** What an agent says of its nominated pair: `address:port` or `[address]:port`. */
export interface ToldPair {
  readonly local: string;
  readonly remote: string;
}

/** An ICE agent that runs as a program on a host of the lab, and speaks as `ice-program.ts` says. */
export class IceAgent {
  readonly kind: IceAgentKind;
  readonly #process: LabProcess;
  readonly #attributes: string[] = [];
  readonly #said: string[] = [];
  #wake: () => void = () => {};
  #onAttribute: (line: string) => void = () => {};

  private constructor(kind: IceAgentKind, process: LabProcess) {
    this.kind = kind;
    this.#process = process;
    void this.#read();
  }

  /** Fulfils when the program runs and has told its credentials; without `stun` it has host candidates only. */
  static async start(
    kind: IceAgentKind,
    host: NetworkNamespace,
    role: IceRole,
    stun?: { readonly address: string; readonly port: number },
  ): Promise<IceAgent> {
    const server = stun === undefined ? [] : [stun.address, String(stun.port)];
    const [command, ...args] = await COMMANDS[kind]();
    const agent = new IceAgent(kind, host.spawn(command!, [...args, role, ...server]));
    while (agent.#attributes.length === 0) await agent.#more();
    return agent;
  }

  /** Each is told what the other has said and will say. */
  static introduce(a: IceAgent, b: IceAgent): void {
    a.#tellTo(b);
    b.#tellTo(a);
  }

  /** New credentials on both sides. */
  static restart(a: IceAgent, b: IceAgent): void {
    for (const agent of [a, b]) agent.#process.stdin.write('restart\n');
  }

  /** The pair that it says it nominated next. */
  async nominated(): Promise<ToldPair> {
    const [, local, remote] = await this.said(/^nominated (\S+) (\S+)$/);
    return { local: local!, remote: remote! };
  }

  /** How many of so many datagrams came back from the other side. */
  async ping(count: number): Promise<number> {
    this.#process.stdin.write(`ping ${count}\n`);
    const [, echoed] = await this.said(/^echoed (\d+)$/);
    return Number(echoed);
  }

  async status(): Promise<Readonly<Record<string, unknown>>> {
    this.#process.stdin.write('status\n');
    return JSON.parse((await this.said(/^status (.*)$/))[1]!);
  }

  /** The next line that matches; those before it are passed over. Rejects when the program has ended. */
  async said(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      for (let line = this.#said.shift(); line !== undefined; line = this.#said.shift()) {
        const match = pattern.exec(line);
        if (match !== null) return match;
      }
      await this.#more();
    }
  }

  /** What it has said and nobody has waited for; takes it away. */
  takeSaid(): string[] {
    return this.#said.splice(0);
  }

  #tellTo(other: IceAgent): void {
    this.#onAttribute = (line) => other.#process.stdin.write(`${line}\n`);
    for (const line of this.#attributes) this.#onAttribute(line);
  }

  async #read(): Promise<void> {
    for await (const line of this.#process.lines) {
      if (line.startsWith('a=')) {
        this.#attributes.push(line);
        this.#onAttribute(line);
      } else {
        this.#said.push(line);
      }
      this.#wake();
    }
    this.#wake();
  }

  /** Fulfils with the next line. */
  async #more(): Promise<void> {
    const next = new Promise<'line'>((resolve) => {
      this.#wake = () => resolve('line');
    });
    const ended = this.#process.wait().then(({ code, signal }) => ({ code, signal }));
    const outcome = await Promise.race([next, ended]);
    if (outcome === 'line') return;
    throw new Error(`${this.kind} ended (${outcome.signal ?? outcome.code})\n${this.#process.stderr}`);
  }
}

const program = (name: string) => async (): Promise<string[]> => [
  process.execPath,
  ...['--import', 'tsx', fileURLToPath(new URL(name, import.meta.url))],
];

const COMMANDS: Record<IceAgentKind, () => Promise<string[]>> = {
  sallyport: program('sallyport.ts'),
  werift: program('werift.ts'),
  libnice: async () => [await cProgram(new URL('libnice.c', import.meta.url), ['nice'])],
};
