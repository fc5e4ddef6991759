import { fileURLToPath } from 'node:url';
import { Subject } from 'rxjs';
import { TraversalError } from '../../../../src/core/errors.ts';
import type { GatewayRestart, MappingVia, PortMapper } from '../../../../src/core/port-mapper.ts';
import type { LabProcess } from '../lab-process.ts';
import type { NetworkNamespace } from '../network-namespace.ts';
import type { Call, FromProgram, ToProgram } from './mapper-program.ts';

/** Port mappers on a host of the lab, to be used from this process. The program ends with the lab. */
export class RemoteMappers {
  readonly #process: LabProcess;
  readonly #calls = new Map<number, Waiting>();
  readonly #restarts = new Map<number, Subject<GatewayRestart>>();
  #numbers = 0;

  private constructor(process: LabProcess) {
    this.#process = process;
  }

  static async start(host: NetworkNamespace): Promise<RemoteMappers> {
    const program = host.spawn(process.execPath, ['--import', 'tsx', PROGRAM]);
    const mappers = new RemoteMappers(program);
    await program.line(/"ready"/);
    void mappers.#read();
    return mappers;
  }

  async open(via: MappingVia): Promise<PortMapper> {
    const mapper = this.#numbers++;
    const restarts = new Subject<GatewayRestart>();
    this.#restarts.set(mapper, restarts);
    const call = <T>(what: Call, signal?: AbortSignal): Promise<T> => this.#call(mapper, what, signal);
    const lists = await call<boolean>({ call: 'open', via });
    return {
      name: via,
      map: (request, { signal } = {}) => call({ call: 'map', request }, signal),
      renew: (mapping, { signal } = {}) => call({ call: 'renew', mapping }, signal),
      release: (mapping, { signal } = {}) => call({ call: 'release', mapping }, signal),
      ...(lists && { list: ({ signal } = {}) => call({ call: 'list' }, signal) }),
      restarts$: restarts.asObservable(),
      close: () => call({ call: 'close' }),
    };
  }

  #call<T>(mapper: number, call: Call, signal: AbortSignal | undefined): Promise<T> {
    const id = this.#numbers++;
    this.#say({ type: 'call', id, mapper, aborted: signal?.aborted === true, ...call });
    signal?.addEventListener('abort', () => this.#say({ type: 'abort', id }), { once: true });
    return new Promise<T>((resolve, reject) => {
      this.#calls.set(id, { resolve: (value) => resolve(value as T), reject });
    });
  }

  #say(message: ToProgram): void {
    this.#process.stdin.write(`${JSON.stringify(message)}\n`);
  }

  async #read(): Promise<void> {
    for await (const line of this.#process.lines) this.#hear(JSON.parse(line));
    const ended = new Error(`the port mappers have ended\n${this.#process.stderr}`);
    for (const { reject } of this.#calls.values()) reject(ended);
  }

  #hear(message: FromProgram): void {
    if (message.type === 'restarted') this.#restarts.get(message.mapper)?.next(message.restart);
    else if (message.type === 'completed') this.#restarts.get(message.mapper)?.complete();
    else if (message.type === 'done') this.#take(message.id)?.resolve(message.value);
    else if (message.type === 'failed')
      this.#take(message.id)?.reject(new TraversalError(message.code, message.message));
  }

  #take(id: number): Waiting | undefined {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    return call;
  }
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

const PROGRAM = fileURLToPath(new URL('mapper-program.ts', import.meta.url));
