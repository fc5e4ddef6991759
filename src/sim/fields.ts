import { TraversalError } from '../core/errors.ts';

/** Bounds of a number, both included. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/**
 * Reads the fields of plain data that a person wrote, such as parsed JSON. Whatever is not as it should be throws `ERR_USAGE` with
 * the path of the field, as in `networks[0].uplink.latency`; so does a field that nobody knows, since it is a typing error.
 */
export class Fields {
  readonly path: string;
  readonly #value: Readonly<Record<string, unknown>>;

  /** `known`: all fields that there may be. */
  constructor(value: unknown, path: string, known: readonly string[]) {
    this.path = path;
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw refused(path, 'must be an object', value);
    this.#value = value as Readonly<Record<string, unknown>>;
    for (const name of Object.keys(value)) {
      if (!known.includes(name)) throw usage(this.at(name), `there is no such field; there are ${known.join(', ')}`);
    }
  }

  /** The path of a field. */
  at(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`;
  }

  /** The field as it is, for a reader of its own. */
  raw(name: string): unknown {
    return this.#value[name];
  }

  number(name: string, { min, max }: Range): number | undefined {
    return this.#optional(name, `must be a number in ${min}..${max}`, (value): value is number => {
      return typeof value === 'number' && value >= min && value <= max;
    });
  }

  integer(name: string, { min, max }: Range): number | undefined {
    return this.#optional(name, `must be a whole number in ${min}..${max}`, (value): value is number => {
      return Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
    });
  }

  boolean(name: string): boolean | undefined {
    return this.#optional(name, 'must be true or false', (value) => typeof value === 'boolean');
  }

  /** A text of 1 to 255 characters. */
  text(name: string): string | undefined {
    return this.#optional(name, 'must be a text of 1 to 255 characters', (value): value is string => {
      return typeof value === 'string' && value.length > 0 && value.length < 256;
    });
  }

  oneOf<T extends string>(name: string, words: readonly T[]): T | undefined {
    return this.#optional(name, `must be one of ${words.join(', ')}`, (value): value is T =>
      words.includes(value as T),
    );
  }

  /** Each element by `read`, which is given its path; none where the field is absent. */
  list<T>(name: string, read: (value: unknown, path: string) => T): T[] | undefined {
    const values = this.#optional(name, 'must be a list', (value): value is unknown[] => Array.isArray(value));
    return values?.map((value, i) => read(value, `${this.at(name)}[${i}]`));
  }

  /** A list of texts, none of them empty. */
  texts(name: string): string[] | undefined {
    return this.list(name, (value, path) => {
      if (typeof value !== 'string' || value === '') throw refused(path, 'must be a text', value);
      return value;
    });
  }

  /** By `read`, which is given its path; `undefined` where the field is absent. */
  nested<T>(name: string, read: (value: unknown, path: string) => T): T | undefined {
    const value = this.#value[name];
    return value === undefined ? undefined : read(value, this.at(name));
  }

  /** What one of the methods above read, which must have been there. */
  required<T>(name: string, value: T | undefined): T {
    if (value === undefined) throw usage(this.at(name), 'is missing');
    return value;
  }

  #optional<T>(name: string, expected: string, fits: (value: unknown) => value is T): T | undefined {
    const value = this.#value[name];
    if (value === undefined || fits(value)) return value;
    throw refused(this.at(name), expected, value);
  }
}

/** An error of whoever wrote the plan. */
export function usage(path: string, message: string): TraversalError {
  return new TraversalError('ERR_USAGE', path === '' ? message : `${path}: ${message}`);
}

function refused(path: string, expected: string, value: unknown): TraversalError {
  // JSON has no word for some numbers.
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  return usage(path, `${expected}, not ${text.slice(0, 80)}`);
}
