import { BehaviorSubject, distinctUntilChanged, filter, type Observable, Subject } from 'rxjs';
import type { Candidate } from '../core/candidate.ts';
import type { Datagram } from '../core/datagram.ts';
import type { Environment } from '../core/environment.ts';
import type { Random } from '../core/random.ts';
import { createDiscovery } from '../peer/discovery.ts';
import { openRouters } from '../peer/sockets.ts';
import {
  assertCredentials,
  attributeOf,
  encodeCandidateAttribute,
  type IceCredentials,
  type IceDescription,
  type IceEvent,
  type IceRole,
  type IceSnapshot,
} from '../protocol/ice/index.ts';
import { createIceGeneration, type IceGeneration, type NominatedPair } from './ice-generation.ts';
import { createRemoteLines, type IgnoredLines, type RemoteLines } from './remote-lines.ts';
import { tapData } from './stun-tap.ts';

export interface IceBridgeOptions {
  /** The world; `stun` names the STUN servers that are asked, `loopback` says whether loopback addresses take part. */
  readonly env: Pick<Environment, 'network' | 'clock' | 'random' | 'log' | 'stun' | 'loopback'>;
  /** To begin with; a role conflict may change it. */
  readonly role: IceRole;
}

/**
 * Sallyport's ICE agent by itself, on UDP sockets of its own and towards any other ICE agent: credentials and
 * candidates cross by hand, in the attributes of RFC 8839. It nominates regularly (RFC 8445 section 8.1.1).
 */
export interface IceBridge {
  /** What the other side is to be told. */
  readonly local: IceDescription;
  /** The current one, then each that adds candidates, ends them or restarts; completes on close. */
  readonly local$: Observable<IceDescription>;
  /**
   * What the other side told: all of it so far, or what is new (then candidates and `end` belong to the latest
   * credentials). What is known already is passed over. Credentials other than before are the other side's restart,
   * which this side joins. Throws `DecodeError` on a malformed candidate line or malformed credentials.
   */
  feed(remote: RemoteDescription): void;
  readonly role: IceRole;
  /** The pair that `send` uses. After a restart the old one, until there is a new one (RFC 8445 section 9). */
  readonly nominated: NominatedPair | undefined;
  /** The current one if there is one, then each other; completes on close. */
  readonly nominated$: Observable<NominatedPair>;
  /** What the agents of all generations report; completes on close. */
  readonly events$: Observable<IceBridgeEvent>;
  /**
   * False when there is no nominated pair, or the datagram was dropped at once. What looks like STUN is taken for it
   * over there.
   */
  send(data: Uint8Array): boolean;
  /** What came from candidates of the other side and is not STUN; valid during the call only. Completes on close. */
  readonly datagrams$: Observable<Uint8Array>;
  /**
   * New credentials on the same sockets (RFC 8445 section 9): `local` is then another, and waits for the other side's.
   */
  restart(): void;
  /** Of the current generation; `undefined` before the other side's credentials are known. */
  snapshot(): IceSnapshot | undefined;
  readonly counters: Readonly<IceBridgeCounters>;
  /** Ends everything at once. */
  close(): void;
}

export type RemoteDescription = Partial<Omit<IceDescription, 'ufrag' | 'pwd'>> &
  (IceCredentials | { readonly ufrag?: undefined; readonly pwd?: undefined });

export type IceBridgeEvent = IceEvent & {
  /** Restarts before it. */
  readonly generation: number;
};

export interface IceBridgeCounters {
  /** Datagrams that were not STUN and came from elsewhere than the other side's candidates. */
  strangers: number;
  readonly ignored: IgnoredLines;
}

/** Opens the sockets and begins to gather. Errors: `ERR_NETWORK`, `ERR_PORT_NOT_PERMITTED`. */
export async function createIceBridge({ env, role }: IceBridgeOptions): Promise<IceBridge> {
  const { random } = env;
  const tieBreaker = Buffer.from(random.bytes(8)).readBigUInt64BE();
  const counters = { strangers: 0, ignored: { useless: 0, unresolved: 0, stale: 0, tooMany: 0 } };
  const events = new Subject<IceBridgeEvent>();
  /** Everything that is not STUN. */
  const data = new Subject<Datagram>();
  const datagrams = new Subject<Uint8Array>();
  const nominations = new BehaviorSubject<NominatedPair | undefined>(undefined);
  /** Runs on until the next one has a nominated pair. */
  let previous: Running | undefined;
  let current: Running;
  let closed = false;

  const network = tapData(env.network, (datagram) => data.next(datagram));
  const routers = await openRouters({ network, log: env.log });
  const discovery = createDiscovery(env, routers);

  const run = (number: number, as: IceRole): Running => {
    const onEvent = (event: IceEvent): void => {
      const isCurrent = generation === current.generation;
      if (isCurrent && generation.nominated !== undefined) retire();
      nominations.next(nominated());
      events.next({ ...event, generation: number });
    };
    const local = newCredentials(random);
    const generation = createIceGeneration({ number, role: as, tieBreaker, local, env, routers, onEvent });
    const lines = createRemoteLines({
      env,
      ignored: counters.ignored,
      onCandidate: generation.addRemote,
      onEnd: () => generation.end('remote'),
    });
    return { generation, lines };
  };

  const nominated = (): NominatedPair | undefined => current.generation.nominated ?? previous?.generation.nominated;

  /** Ends the generation before the current one. */
  const retire = (): void => {
    if (previous !== undefined) stop(previous);
    previous = undefined;
  };

  const describe = (): IceDescription => ({
    ...current.generation.local,
    candidates: localCandidates().map((candidate) => encodeCandidateAttribute(attributeOf(candidate))),
    end: discovery.current.complete,
    options: ['ice2', 'trickle'],
  });

  const receive = ({ data: bytes, from }: Datagram): void => {
    if (current.generation.knows(from) || previous?.generation.knows(from)) datagrams.next(bytes);
    else counters.strangers++;
  };

  /** The bridge is of UDP. */
  const localCandidates = (): readonly Candidate[] =>
    discovery.current.candidates.filter(({ transport }) => transport === 'udp');

  const tellLocals = (): void => {
    for (const candidate of localCandidates()) current.generation.addLocal(candidate);
    if (discovery.current.complete) current.generation.end('local');
    descriptions.next(describe());
  };

  const restart = (): void => {
    if (closed) return;
    const { number, role: as, nominated: working } = current.generation;
    if (working === undefined) stop(current);
    else {
      retire();
      previous = current;
    }
    current = run(number + 1, as);
    tellLocals();
  };

  /** Of the generation before the current one. */
  let staleUfrag: string | undefined;

  const meet = (credentials: IceCredentials): void => {
    assertCredentials(credentials);
    const { remote } = current.generation;
    if (remote?.ufrag === credentials.ufrag) return;
    if (remote !== undefined) {
      staleUfrag = remote.ufrag;
      restart();
    }
    current.generation.start({ ufrag: credentials.ufrag, pwd: credentials.pwd });
  };

  current = run(0, role);
  const descriptions = new BehaviorSubject(describe());
  data.subscribe(receive);
  const gathering = discovery.reachability$.subscribe(tellLocals);
  const look = discovery.look(env.stun);
  look.interfaces();
  void look
    .reflexive()
    .catch((error) => env.log('discovery.failed', { error: String(error) }))
    .then(() => look.end(true));

  return {
    get local() {
      return descriptions.value;
    },
    local$: descriptions.asObservable(),
    feed({ ufrag, pwd, candidates = [], end = false }) {
      if (closed) return;
      if (ufrag !== undefined) {
        if (ufrag === staleUfrag) return;
        meet({ ufrag, pwd });
      }
      const { generation, lines } = current;
      lines.read(candidates, generation.remote?.ufrag);
      if (end) lines.end();
    },
    get role() {
      return current.generation.role;
    },
    get nominated() {
      return nominated();
    },
    nominated$: nominations.pipe(
      filter((pair) => pair !== undefined),
      distinctUntilChanged(),
    ),
    events$: events.asObservable(),
    send(data) {
      const to = nominated()?.remote;
      if (to === undefined) return false;
      const router = routers.find(({ socket }) => socket.local.family === to.family);
      return router?.socket.send(data, to) ?? false;
    },
    datagrams$: datagrams.asObservable(),
    restart() {
      staleUfrag = current.generation.remote?.ufrag ?? staleUfrag;
      restart();
    },
    snapshot: () => current.generation.snapshot(),
    counters,
    close() {
      closed = true;
      gathering.unsubscribe();
      discovery.close();
      retire();
      stop(current);
      for (const router of routers) router.close();
      for (const subject of [descriptions, nominations, events, data, datagrams]) subject.complete();
    },
  };
}

/** A generation and the reader of what the other side tells in it. */
interface Running {
  readonly generation: IceGeneration;
  readonly lines: RemoteLines;
}

function stop({ generation, lines }: Running): void {
  generation.stop();
  lines.stop();
}

/** 48 bits of username fragment, 144 of password; RFC 8445 section 5.3 asks for 24 and 128. */
function newCredentials(random: Random): IceCredentials {
  const iceChars = (bytes: number): string => Buffer.from(random.bytes(bytes)).toString('base64');
  return { ufrag: iceChars(6), pwd: iceChars(18) };
}
