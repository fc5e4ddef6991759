import type { Path } from '../../core/path.ts';
import type { Signaling, SignalingEvent, SignalingStatus } from '../../core/signaling.ts';

/** What a client was told so far, and ways to wait for more. */
export interface SignalingClient {
  readonly signaling: Signaling;
  readonly events: readonly SignalingEvent[];
  readonly statuses: readonly SignalingStatus[];
  /** The first event of this type, past or to come. */
  next<T extends SignalingEvent['type']>(type: T): Promise<Extract<SignalingEvent, { type: T }>>;
  /** Once there are so many events of this type. */
  count(type: SignalingEvent['type'], count: number): Promise<void>;
  until(condition: (events: readonly SignalingEvent[]) => boolean): Promise<void>;
  /** Once this is the state, now or later. */
  state(state: SignalingStatus['state']): Promise<void>;
  /** Once both of its streams have completed. */
  readonly ended: Promise<void>;
}

export function watchSignaling(signaling: Signaling): SignalingClient {
  const events: SignalingEvent[] = [];
  const statuses: SignalingStatus[] = [];
  const waiting = new Set<() => void>();
  let completed = 0;

  function check(): void {
    for (const wake of waiting) wake();
  }

  function until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        if (!condition()) return;
        waiting.delete(wake);
        resolve();
      };
      waiting.add(wake);
      wake();
    });
  }

  function note<T>(list: T[]) {
    return {
      next(value: T): void {
        list.push(value);
        check();
      },
      complete(): void {
        completed++;
        check();
      },
    };
  }

  signaling.events$.subscribe(note(events));
  signaling.status$.subscribe(note(statuses));
  return {
    signaling,
    events,
    statuses,
    async next(type) {
      const find = () => events.find((event) => event.type === type);
      await until(() => find() !== undefined);
      return find() as Extract<SignalingEvent, { type: typeof type }>;
    },
    count: (type, count) => until(() => events.filter((event) => event.type === type).length === count),
    until: (condition) => until(() => condition(events)),
    state: (state) => until(() => statuses.at(-1)?.state === state),
    ended: until(() => completed === 2),
  };
}

/** The relayed path of a session that has one. */
export function relayOf({ signaling }: SignalingClient, session: Uint8Array): Path {
  const path = signaling.relay(session);
  if (path === undefined) throw new Error('there is no relay path');
  return path;
}
