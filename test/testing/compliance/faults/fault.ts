/** An implementation made wrong on purpose, and the test of the suite that must notice. */
export interface Fault<T> {
  readonly noticedBy: string;
  /** Makes a sound implementation wrong. */
  plant(sound: T): T;
}

/** By what is wrong. */
export type Faults<T> = Readonly<Record<string, Fault<T>>>;

/** What a sound implementation is called, which its suite must let pass. */
export const SOUND = 'what is sound';

/** Calls `define` for a sound implementation and for each wrong one. */
export function forEachFault<T>(faults: Faults<T>, define: (name: string, plant: (sound: T) => T) => void): void {
  define(SOUND, (sound) => sound);
  for (const [name, { plant }] of Object.entries(faults)) define(`what ${name}`, plant);
}

/** The same object but for some of its members. */
export function changed<T extends object>(sound: T, members: Partial<T>): T {
  return new Proxy(sound, {
    get(target, key) {
      if (Object.hasOwn(members, key)) return Reflect.get(members, key);
      const member = Reflect.get(target, key, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}
