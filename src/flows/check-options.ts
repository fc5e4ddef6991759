import type { CheckOptions } from '../core/strategy.ts';
import { fieldsOf, shown, usage, wordOf } from './usage.ts';

/** The options of checks, copied. Errors: `ERR_USAGE`, naming the place, for words that are none, and for none at all. */
export function checkOptionsOf(place: string, options: CheckOptions = {}): CheckOptions {
  const { types, transports } = fieldsOf(place, options, ['types', 'transports']);
  return {
    ...(types !== undefined && { types: wordsOf(`${place}.types`, types, TYPES) }),
    ...(transports !== undefined && { transports: wordsOf(`${place}.transports`, transports, TRANSPORTS) }),
  };
}

function wordsOf<W extends string>(place: string, values: readonly W[], words: readonly W[]): readonly W[] {
  if (!Array.isArray(values)) throw usage(place, `${shown(values)} is no array of ${words.join(', ')}`);
  if (values.length === 0) throw usage(place, 'nothing takes part');
  return Array.from(values, (value, i) => wordOf(`${place}[${i}]`, value, words));
}

const TYPES: NonNullable<CheckOptions['types']> = ['host', 'srflx', 'prflx', 'mapped'];
const TRANSPORTS: NonNullable<CheckOptions['transports']> = ['udp', 'tcp'];
