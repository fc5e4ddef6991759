/**
 * Port mappers as a program of the laboratory, for tests that run elsewhere: a line of JSON each way a message, as {@link ToProgram} and
 * {@link FromProgram} say. It ends with its standard input.
 */
import { createInterface } from 'node:readline';
import { cryptoRandom, nodeNetwork, systemClock } from '../../../../src/adapters/node/index.ts';
import { natPmp } from '../../../../src/adapters/port-mapper/nat-pmp.ts';
import { natUpnp } from '../../../../src/adapters/port-mapper/nat-upnp/index.ts';
import { pcp } from '../../../../src/adapters/port-mapper/pcp.ts';
import { upnpIgd } from '../../../../src/adapters/port-mapper/upnp-igd/index.ts';
import { asTraversalError, type ErrorCode } from '../../../../src/core/errors.ts';
import { silentLog } from '../../../../src/core/log.ts';
import type {
  BuiltInVia,
  GatewayRestart,
  Mapping,
  MappingRequest,
  MappingVia,
  PortMapper,
  PortMapperFactory,
} from '../../../../src/core/port-mapper.ts';

/** A call of a port mapper; those have numbers of the caller's choice, as the calls have. */
export type Call =
  | { readonly call: 'open'; readonly via: MappingVia }
  | { readonly call: 'map'; readonly request: MappingRequest }
  | { readonly call: 'renew' | 'release'; readonly mapping: Mapping }
  | { readonly call: 'list' | 'close' };

/** `aborted` is whether the call's signal was before it. */
export type ToProgram =
  | ({ readonly type: 'call'; readonly id: number; readonly mapper: number; readonly aborted: boolean } & Call)
  | { readonly type: 'abort'; readonly id: number };

export type FromProgram =
  | { readonly type: 'ready' }
  /** `value` of `open` is whether the port mapper has a list. */
  | { readonly type: 'done'; readonly id: number; readonly value?: unknown }
  | { readonly type: 'failed'; readonly id: number; readonly code: ErrorCode; readonly message: string }
  | { readonly type: 'restarted'; readonly mapper: number; readonly restart: GatewayRestart }
  | { readonly type: 'completed'; readonly mapper: number };

const FACTORIES: Readonly<Record<BuiltInVia, PortMapperFactory>> = {
  pcp: pcp(),
  'nat-pmp': natPmp(),
  'upnp-igd': upnpIgd(),
  'nat-upnp': natUpnp(),
};

function serve(): void {
  const environment = { network: nodeNetwork(), clock: systemClock(), random: cryptoRandom(), log: silentLog };
  const mappers = new Map<number, PortMapper>();
  const aborts = new Map<number, AbortController>();
  const say = (message: FromProgram): void => void process.stdout.write(`${JSON.stringify(message)}\n`);

  function open(number: number, via: MappingVia): boolean {
    const mapper = FACTORIES[via as BuiltInVia](environment);
    mappers.set(number, mapper);
    mapper.restarts$.subscribe({
      next: (restart) => say({ type: 'restarted', mapper: number, restart }),
      complete: () => say({ type: 'completed', mapper: number }),
    });
    return mapper.list !== undefined;
  }

  async function perform(number: number, call: Call, signal: AbortSignal): Promise<unknown> {
    if (call.call === 'open') return open(number, call.via);
    const mapper = mappers.get(number)!;
    switch (call.call) {
      case 'map':
        return mapper.map(call.request, { signal });
      case 'renew':
        return mapper.renew(call.mapping, { signal });
      case 'release':
        return mapper.release(call.mapping, { signal });
      case 'list':
        return mapper.list!({ signal });
      case 'close':
        return mapper.close();
    }
  }

  async function answer(call: Extract<ToProgram, { type: 'call' }>): Promise<void> {
    const { id, mapper, aborted } = call;
    const abort = new AbortController();
    aborts.set(id, abort);
    if (aborted) abort.abort();
    try {
      say({ type: 'done', id, value: await perform(mapper, call, abort.signal) });
    } catch (error) {
      const { code, message } = asTraversalError(error, 'ERR_PROTOCOL');
      say({ type: 'failed', id, code, message });
    } finally {
      aborts.delete(id);
    }
  }

  createInterface({ input: process.stdin })
    .on('line', (line) => {
      const message: ToProgram = JSON.parse(line);
      if (message.type === 'abort') aborts.get(message.id)?.abort();
      else void answer(message);
    })
    .on('close', () => process.exit());
  say({ type: 'ready' });
}

serve();
