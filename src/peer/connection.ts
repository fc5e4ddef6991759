import { BehaviorSubject, distinctUntilChanged, type Observable, ReplaySubject, Subject, switchMap } from 'rxjs';
import { type Actor, createActor, type StateValueFrom } from 'xstate';
import type { Environment } from '../core/environment.ts';
import { TraversalError } from '../core/errors.ts';
import type { PathInfo } from '../core/path.ts';
import type { Session, SessionDatagrams, SessionStats, SessionStream } from '../core/session.ts';
import type { Verdict } from '../core/verdict.ts';
import type { ConnectionMachine } from '../machines/connection.ts';
import type { ConnectionEvent, Failure, RatedPath } from '../machines/connection-events.ts';
import { type ConnectionInput, type ConnectionOutput, currentPath } from '../machines/connection-setup.ts';
import type { Inspect } from '../machines/inspect.ts';
import { mapAttempts } from './mapping-evidence.ts';
import type { ConnectionRuntime } from './runtime-contract.ts';
import { makeVerdict, withChecks } from './verdict.ts';

export type ConnectionState = StateValueFrom<ConnectionMachine>;

/** What the user holds: one authenticated, encrypted session with a remote peer, over whatever path carries it. */
export interface Connection extends AsyncDisposable {
  /** Hex text of the session id that both sides share. */
  readonly id: string;
  readonly role: 'dialer' | 'listener';
  /** Raw Ed25519 key of the other side, proven once `ready` has fulfilled. */
  readonly remoteKey: Uint8Array;
  /** The chart's state, the current one first; completes with the connection. */
  readonly state$: Observable<ConnectionState>;
  /** The path that is sent on, the current one first; completes with the connection. */
  readonly path$: Observable<PathInfo | undefined>;
  readonly path: PathInfo | undefined;
  /** The path that last carried something from the other side. */
  readonly lastHeard: PathInfo | undefined;
  /** Fulfils when the session is established. Errors: the verdict's code. Never an unhandled rejection. */
  readonly ready: Promise<void>;
  /** Always fulfils, when the connection has ended. */
  readonly verdict: Promise<Verdict>;
  /**
   * Opens a reliable stream once the connection is ready. `protocol` tells the other side what it is for (1..64 bytes).
   */
  openStream(protocol?: string): Promise<SessionStream>;
  /** Streams that the other side opened. */
  readonly streams$: Observable<SessionStream>;
  /** Unreliable, encrypted datagrams. */
  readonly datagrams: SessionDatagrams;
  stats(): SessionStats | undefined;
  /** Ends the connection and tells the other side; fulfils when everything is released. */
  close(): Promise<void>;
}

/** The default protocol name of a stream. */
export const DEFAULT_PROTOCOL = 'sallyport/stream';

export interface ConnectionOptions {
  readonly machine: ConnectionMachine;
  readonly input: ConnectionInput;
  readonly runtime: ConnectionRuntime;
  readonly remoteKey: Uint8Array;
  readonly env: Environment;
  readonly inspect: Inspect | undefined;
  /** The connection has ended; `released` fulfils when nothing is left of it. */
  readonly onEnd: (released: Promise<void>) => void;
}

/** A connection and the switch that starts it. */
export interface StartableConnection extends Connection {
  start(): void;
  /** Ends it with `ERR_ABORTED`. */
  abort(message: string): void;
}

export function createConnection(options: ConnectionOptions): StartableConnection {
  return new ActorConnection(options);
}

class ActorConnection implements StartableConnection {
  readonly id: string;
  readonly role: 'dialer' | 'listener';
  readonly remoteKey: Uint8Array;
  readonly ready: Promise<void>;
  readonly verdict: Promise<Verdict>;
  readonly datagrams: SessionDatagrams;
  readonly #options: ConnectionOptions;
  readonly #startedAt: number;
  readonly #actor: Actor<ConnectionMachine>;
  readonly #state$: BehaviorSubject<ConnectionState>;
  readonly #path$ = new BehaviorSubject<PathInfo | undefined>(undefined);
  readonly #session$ = new ReplaySubject<Session>(1);
  readonly #datagrams$ = new Subject<Uint8Array>();
  readonly #validated: PathInfo[] = [];
  /**
   * When this side closed, and the path in use then. The other side may end a TCP connection, or its relay, before our session has ended;
   * what is still tried until then is no part of how the connection went.
   */
  #closed: { readonly at: number; readonly path: RatedPath | undefined } | undefined;
  #session: Session | undefined;
  #ended = false;
  #settle: { resolve(): void; reject(error: TraversalError): void } | undefined;

  constructor(options: ConnectionOptions) {
    const { machine, input, runtime, remoteKey, env, inspect } = options;
    this.#options = options;
    this.id = input.id;
    this.role = input.role;
    this.remoteKey = remoteKey;
    this.#startedAt = env.clock.now();
    const id = `connection ${input.id.slice(0, 8)}`;
    this.#actor = createActor(machine, { input, clock: env.clock, id, inspect });
    this.#state$ = new BehaviorSubject<ConnectionState>(this.#actor.getSnapshot().value);
    this.datagrams = {
      send: (bytes) => this.#session?.datagrams.send(bytes) ?? false,
      incoming$: this.#datagrams$.asObservable(),
      maxLength: () => this.#session?.datagrams.maxLength() ?? 0,
    };
    this.ready = new Promise<void>((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.ready.catch(() => env.log('connection.failed', { id: input.id }));
    runtime.secured.then((made) => this.#secure(made));
    this.verdict = new Promise((resolve) => this.#follow(resolve));
  }

  get state$(): Observable<ConnectionState> {
    return this.#state$.asObservable();
  }

  get path$(): Observable<PathInfo | undefined> {
    return this.#path$.pipe(distinctUntilChanged((a, b) => a?.id === b?.id));
  }

  get path(): PathInfo | undefined {
    return this.#path$.value;
  }

  get lastHeard(): PathInfo | undefined {
    return this.#options.runtime.table.lastHeard;
  }

  get streams$(): Observable<SessionStream> {
    return this.#session$.pipe(switchMap((made) => made.streams$));
  }

  async openStream(protocol = DEFAULT_PROTOCOL): Promise<SessionStream> {
    await this.ready;
    if (this.#session === undefined) throw new TraversalError('ERR_CLOSED', 'the connection has no session');
    return this.#session.openStream(protocol);
  }

  stats(): SessionStats | undefined {
    return this.#session?.stats();
  }

  async close(): Promise<void> {
    this.#end({ type: 'close.requested' });
    await this.verdict;
    await this.#session?.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  abort(message: string): void {
    this.#end({ type: 'close.requested', code: 'ERR_ABORTED', message });
  }

  start(): void {
    this.#actor.start();
    this.#actor.send({ type: 'connection.started' });
  }

  #secure(made: Session): void {
    this.#session = made;
    if (this.#ended) made.close();
    this.#session$.next(made);
    made.datagrams.incoming$.subscribe({
      next: (bytes) => this.#datagrams$.next(bytes),
      complete: () => this.#datagrams$.complete(),
    });
  }

  /** Tells what becomes of the chart, and at its end `resolve` the verdict. */
  #follow(resolve: (verdict: Verdict) => void): void {
    const { env, input } = this.#options;
    this.#actor.subscribe({
      next: ({ context, value, status, output }) => {
        if (!isSameState(value, this.#state$.value)) this.#state$.next(value);
        const current = currentPath(context)?.info;
        if (current !== undefined && !this.#validated.some(({ id }) => id === current.id)) {
          this.#validated.push(current);
        }
        if (current !== this.path) this.#path$.next(current);
        if (context.established) this.#settle?.resolve();
        if (status === 'done' && output !== undefined) this.#finish(output, resolve);
      },
      error: (error) => {
        env.log('connection.broken', { id: input.id, error: String(error) });
        const failure: Failure = { code: 'ERR_PROTOCOL', message: `the connection broke: ${String(error)}` };
        this.#finish({ outcome: 'failed', failure, current: undefined }, resolve);
      },
    });
  }

  #finish(output: ConnectionOutput, resolve: (verdict: Verdict) => void): void {
    const { runtime, env, onEnd } = this.#options;
    const evidence = runtime.evidence();
    const endedAt = env.clock.now() - this.#startedAt;
    const attempts = [
      ...withChecks(runtime.slots.settle(this.#closed?.at), evidence, endedAt),
      ...mapAttempts(evidence.ports, this.#startedAt),
    ];
    const current = this.#closed?.path ?? output.current;
    const made = makeVerdict({ output: { ...output, current }, evidence, paths: this.#validated, attempts });
    this.#settle?.reject(new TraversalError(made.code ?? 'ERR_CLOSED', made.summary));
    this.#ended = true;
    this.#state$.complete();
    this.#path$.complete();
    this.#session$.complete();
    this.#datagrams$.complete();
    onEnd(this.close());
    resolve(made);
  }

  /** An established session tells the other side first; the chart then ends with it. */
  #end(event: ConnectionEvent): void {
    const { status, context } = this.#actor.getSnapshot();
    this.#closed ??= { at: this.#options.env.clock.now() - this.#startedAt, path: currentPath(context) };
    this.#session?.close();
    if (status === 'active' && !context.established) this.#actor.send(event);
  }
}

/** State values are plain nested objects whose keys keep the chart's order. */
function isSameState(a: ConnectionState, b: ConnectionState): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
