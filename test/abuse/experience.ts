import { Deferred } from '../../src/core/deferred.ts';
import { type Dials, measureDials } from './dials.ts';
import type { Started } from './process.ts';
import { measureRoundTrips, type RoundTrips } from './round-trips.ts';

/** What a bystander notices: over a connection that it has, and of those that it makes. */
export interface Experience {
  readonly pings: RoundTrips;
  readonly dials: Dials;
}

/** A process that pings and dials. */
export type Bystander = {
  begin(): void;
  /** Gives what it has noticed since. */
  end(): Promise<Experience> | undefined;
};

/** What another process notices until something was done, and what that came to. */
export async function noticedDuring<T>({ call }: Started<Bystander>, done: () => Promise<T>): Promise<[Experience, T]> {
  await call.begin();
  const result = await done();
  const experience = await call.end();
  if (experience === undefined) throw new Error('nothing had begun');
  return [experience, result];
}

export interface BystanderOptions extends Pick<Parameters<typeof measureRoundTrips>[0], 'send' | 'onAnswer'> {
  readonly dial: () => Promise<void>;
}

/** Pings every 10 ms and dials 100 ms after each dial, from `begin` to `end`. */
export function createBystander({ dial, send, onAnswer }: BystanderOptions): Bystander {
  let ended = new Deferred();
  let experience: Promise<Experience> | undefined;
  return {
    begin() {
      ended = new Deferred();
      const until = { ended: ended.promise };
      experience = Promise.all([
        measureRoundTrips({ ...until, interval: 10, send, onAnswer }),
        measureDials({ ...until, interval: 100, dial }),
      ]).then(([pings, dials]) => ({ pings, dials }));
    },
    end() {
      ended.resolve();
      return experience;
    },
  };
}
