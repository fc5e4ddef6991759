import { BehaviorSubject, distinctUntilChanged, type Observable, ReplaySubject, Subject, switchMap } from 'rxjs';
import { type Actor, createActor, type StateValueFrom } from 'xstate';
import type { Environment } from '../core/environment.ts';
import { TraversalError } from '../core/errors.ts';
import type { PathInfo } from '../core/path.ts';
import type { Session, SessionDatagrams, SessionStats, SessionStream } from '../core/session.ts';
import type { Verdict } from '../core/verdict.ts';
import type { ConnectionMachine } from '../machines/connection.ts';
import type { ConnectionEvent, Failure } from '../machines/connection-events.ts';
import { type ConnectionInput, type ConnectionOutput, currentPath } from '../machines/connection-setup.ts';
import { mapAttempts } from './mapping-evidence.ts';
import type { ConnectionRuntime } from './runtime-contract.ts';
import { checksAttempt, makeVerdict } from './verdict.ts';

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
  /** The connection has ended; `released` fulfils when nothing is left of it. */
  readonly onEnd: (released: Promise<void>) => void;
}

/** A connection and the switch that starts it. */
export interface StartableConnection extends Connection {
  start(): void;
  /** Ends it with `ERR_ABORTED`. */
  abort(message: string): void;
}

export function createConnection({
  machine,
  input,
  runtime,
  remoteKey,
  env,
  onEnd,
}: ConnectionOptions): StartableConnection {
  const { clock, log } = env;
  const startedAt = clock.now();
  const actor: Actor<ConnectionMachine> = createActor(machine, {
    input,
    clock,
    id: `connection ${input.id.slice(0, 8)}`,
  });
  const state$ = new BehaviorSubject<ConnectionState>(actor.getSnapshot().value);
  const path$ = new BehaviorSubject<PathInfo | undefined>(undefined);
  const session$ = new ReplaySubject<Session>(1);
  const datagrams$ = new Subject<Uint8Array>();
  const validated: PathInfo[] = [];
  let session: Session | undefined;
  let ended = false;
  let settle: { resolve(): void; reject(error: TraversalError): void } | undefined;

  const ready = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject };
  });
  ready.catch(() => log('connection.failed', { id: input.id }));

  runtime.secured.then((made) => {
    session = made;
    if (ended) made.close();
    session$.next(made);
    made.datagrams.incoming$.subscribe({
      next: (bytes) => datagrams$.next(bytes),
      complete: () => datagrams$.complete(),
    });
  });

  const verdict = new Promise<Verdict>((resolve) => {
    const finish = (output: ConnectionOutput): void => {
      const evidence = runtime.evidence();
      const checks = evidence.pairs.length > 0 ? [checksAttempt(evidence, 0, clock.now() - startedAt)] : [];
      const attempts = [...checks, ...mapAttempts(evidence.ports, startedAt)];
      const made = makeVerdict({ output, evidence, paths: validated, attempts });
      settle?.reject(new TraversalError(made.code ?? 'ERR_CLOSED', made.summary));
      ended = true;
      state$.complete();
      path$.complete();
      session$.complete();
      datagrams$.complete();
      onEnd(connection.close());
      resolve(made);
    };
    actor.subscribe({
      next({ context, value, status, output }) {
        if (!isSameState(value, state$.value)) state$.next(value);
        const current = currentPath(context)?.info;
        if (current !== undefined && !validated.some(({ id }) => id === current.id)) validated.push(current);
        if (current !== path$.value) path$.next(current);
        if (context.established) settle?.resolve();
        if (status === 'done' && output !== undefined) finish(output);
      },
      error(error) {
        log('connection.broken', { id: input.id, error: String(error) });
        const failure: Failure = { code: 'ERR_PROTOCOL', message: `the connection broke: ${String(error)}` };
        finish({ outcome: 'failed', failure, current: undefined });
      },
    });
  });

  /** An established session tells the other side first; the chart then ends with it. */
  const end = (event: ConnectionEvent): void => {
    const { status, context } = actor.getSnapshot();
    session?.close();
    if (status === 'active' && !context.established) actor.send(event);
  };

  const connection: StartableConnection = {
    id: input.id,
    role: input.role,
    remoteKey,
    state$: state$.asObservable(),
    path$: path$.pipe(distinctUntilChanged((a, b) => a?.id === b?.id)),
    get path() {
      return path$.value;
    },
    get lastHeard() {
      return runtime.table.lastHeard;
    },
    ready,
    verdict,
    streams$: session$.pipe(switchMap((made) => made.streams$)),
    datagrams: {
      send: (bytes) => session?.datagrams.send(bytes) ?? false,
      incoming$: datagrams$.asObservable(),
      maxLength: () => session?.datagrams.maxLength() ?? 0,
    },
    async openStream(protocol = DEFAULT_PROTOCOL) {
      await ready;
      if (session === undefined) throw new TraversalError('ERR_CLOSED', 'the connection has no session');
      return session.openStream(protocol);
    },
    stats: () => session?.stats(),
    async close() {
      end({ type: 'close.requested' });
      await verdict;
      await session?.closed;
    },
    [Symbol.asyncDispose]: () => connection.close(),
    abort: (message) => end({ type: 'close.requested', code: 'ERR_ABORTED', message }),
    start() {
      actor.start();
      actor.send({ type: 'connection.started' });
    },
  };
  return connection;
}

/** State values are plain nested objects whose keys keep the chart's order. */
function isSameState(a: ConnectionState, b: ConnectionState): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
