import { Worker } from 'node:worker_threads';
import { DecodeError, TraversalError } from '../../../core/errors.ts';
import { FAULTS, type SoapAction, soapAnswer, UpnpFault } from '../../../protocol/upnp/index.ts';

/** One gateway, found and asked by nat-upnp in a thread of its own. */
export interface NatUpnpSession {
  /** Errors: `ERR_NOT_AVAILABLE` without the package, `ERR_MAPPING_UNAVAILABLE` without a gateway, `ERR_GATEWAY_PROTOCOL`. */
  find(): Promise<FoundByNatUpnp>;
  /**
   * After `find`, one action at a time. Errors: `UpnpFault` with the fault that is most likely, since the package loses it;
   * `ERR_GATEWAY_PROTOCOL`.
   */
  ask<T>(action: SoapAction<T>): Promise<T>;
  /** Ends the thread, whatever it does. What is under way rejects. */
  close(): Promise<void>;
}

export interface FoundByNatUpnp {
  /** URL of the gateway's description, as the gateway said it. */
  readonly location: string;
  /** Type of the service that maps ports. */
  readonly service: string;
  /** Address of this host on the network of the gateway. */
  readonly local: string;
}

/** `module` is what the thread imports as nat-upnp. */
export function openNatUpnpSession(module: string): NatUpnpSession {
  const worker = new Worker(new URL('./worker.js', import.meta.url), {
    workerData: { module },
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16 },
  });
  let waiting: { resolve(reply: Reply): void; reject(error: TraversalError): void } | undefined;
  let end: TraversalError | undefined;

  function finish(reason: string): void {
    end ??= new TraversalError('ERR_GATEWAY_PROTOCOL', `nat-upnp broke off: ${reason}`);
    waiting?.reject(end);
  }

  function nextReply(): Promise<Reply> {
    if (end !== undefined) return Promise.reject(end);
    return new Promise((resolve, reject) => {
      waiting = { resolve, reject };
    });
  }

  worker.on('message', (reply: Reply) => waiting?.resolve(reply));
  worker.on('error', ({ message }) => finish(message));
  worker.on('exit', () => finish('its thread has ended'));

  return {
    async find() {
      const reply = await nextReply();
      if (reply.type === 'found') return reply;
      throw findingFailed(reply);
    },
    async ask(action) {
      worker.postMessage({ name: action.name, args: action.args });
      const reply = await nextReply();
      if (reply.type === 'answered') return readAnswer(action, reply.body);
      throw askingFailed(action, reply);
    },
    async close() {
      await worker.terminate();
    },
  };
}

/** What the thread says. */
type Reply =
  | ({ readonly type: 'found' } & FoundByNatUpnp)
  | { readonly type: 'answered'; readonly body: unknown }
  | { readonly type: 'missing' }
  | { readonly type: 'failed'; readonly message: string };

function findingFailed(reply: Reply): TraversalError {
  if (reply.type === 'missing') {
    return new TraversalError('ERR_NOT_AVAILABLE', 'the package nat-upnp is not installed: npm install nat-upnp');
  }
  const message = messageOf(reply);
  if (message === 'timeout' || message === 'Service not found') {
    return new TraversalError('ERR_MAPPING_UNAVAILABLE', `nat-upnp finds no gateway that maps ports (${message})`);
  }
  return new TraversalError('ERR_GATEWAY_PROTOCOL', `nat-upnp cannot read the gateway's description: ${message}`);
}

/** The package tells a refusal by its HTTP status alone. */
function askingFailed({ name, args }: SoapAction<unknown>, reply: Reply): TraversalError {
  const message = messageOf(reply);
  if (message !== 'Request failed: 500') {
    return new TraversalError('ERR_GATEWAY_PROTOCOL', `nat-upnp: ${name} failed: ${message}`);
  }
  const wantsLease = args.some(([argument, value]) => argument === 'NewLeaseDuration' && value !== 0);
  const fault = wantsLease ? FAULTS.OnlyPermanentLeasesSupported : (LIKELY_FAULTS[name] ?? FAULTS.ActionFailed);
  return new UpnpFault(name, fault, '');
}

function messageOf(reply: Reply): string {
  return reply.type === 'failed' ? reply.message : `an answer out of place (${reply.type})`;
}

const LIKELY_FAULTS: Readonly<Record<string, number>> = {
  DeletePortMapping: FAULTS.NoSuchEntryInArray,
  GetGenericPortMappingEntry: FAULTS.SpecifiedArrayIndexInvalid,
  GetSpecificPortMappingEntry: FAULTS.NoSuchEntryInArray,
};

/** `body` is what the package's XML parser makes of the SOAP body: elements by name, with prefixes; text, or `{ '#': text }`. */
function readAnswer<T>({ name, read }: SoapAction<T>, body: unknown): T {
  const response = elementOf(body, `${name}Response`);
  if (response === undefined) throw new TraversalError('ERR_GATEWAY_PROTOCOL', `nat-upnp: no answer to ${name}`);
  const text = (argument: string): string => {
    const value = elementOf(response, argument);
    const content = isRecord(value) ? value['#'] : value;
    return typeof content === 'string' ? content.trim() : '';
  };
  try {
    return read(soapAnswer(text));
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause;
    throw new TraversalError('ERR_GATEWAY_PROTOCOL', `the answer to ${name} makes no sense: ${cause.message}`, {
      cause,
    });
  }
}

function elementOf(parent: unknown, name: string): unknown {
  if (!isRecord(parent)) return undefined;
  const key = Object.keys(parent).find((key) => key === name || key.endsWith(`:${name}`));
  return key === undefined ? undefined : parent[key];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
