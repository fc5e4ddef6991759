import { DecodeError } from '../../core/errors.ts';
import type { IceCredentials } from './contract.ts';

/**
 * What one side tells the other of its ICE agent, in the attributes of RFC 8839: of one generation, and of as many
 * candidates as there are so far.
 */
export interface IceDescription extends IceCredentials {
  /** `candidate:..` lines (RFC 8839 section 5.1). */
  readonly candidates: readonly string[];
  /** No more candidates will come (RFC 8840 section 8.2). */
  readonly end: boolean;
  /** `ice2`, `trickle` and the like (RFC 8839 section 5.6). */
  readonly options: readonly string[];
}

/** The attributes as lines of SDP. Throws `DecodeError` when the credentials are not ice-chars. */
export function encodeIceDescription({ ufrag, pwd, candidates, end, options }: IceDescription): string {
  assertCredentials({ ufrag, pwd });
  const lines = [
    `a=ice-ufrag:${ufrag}`,
    `a=ice-pwd:${pwd}`,
    ...(options.length === 0 ? [] : [`a=ice-options:${options.join(' ')}`]),
    ...candidates.map((line) => `a=${line}`),
    ...(end ? ['a=end-of-candidates'] : []),
  ];
  return lines.map((line) => `${line}\r\n`).join('');
}

/**
 * Reads the ICE attributes out of a session description with one data stream, or one for all (RFC 9143); other lines
 * are passed over, and candidate lines are not looked into. Throws `DecodeError` where credentials lack, are told twice
 * and differently, or are malformed.
 */
export function decodeIceDescription(text: string): IceDescription {
  const lines = text.split(/\r?\n/);
  const valuesOf = (name: string): string[] =>
    lines.flatMap((line) => (line.startsWith(`a=${name}:`) ? [line.slice(name.length + 3)] : []));
  const theOnly = (name: string): string => {
    const [value, ...others] = new Set(valuesOf(name));
    if (value === undefined) throw new DecodeError(`ice/${name}`, 'missing');
    if (others.length > 0) throw new DecodeError(`ice/${name}`, 'more than one');
    return value;
  };
  const credentials = { ufrag: theOnly('ice-ufrag'), pwd: theOnly('ice-pwd') };
  assertCredentials(credentials);
  return {
    ...credentials,
    candidates: valuesOf('candidate').map((value) => `candidate:${value}`),
    end: lines.includes('a=end-of-candidates'),
    options: [...new Set(valuesOf('ice-options').flatMap(readOptions))],
  };
}

/** Throws `DecodeError` unless they are 4..256 and 22..256 ice-chars (RFC 8839 section 5.4). */
export function assertCredentials({ ufrag, pwd }: IceCredentials): void {
  if (!/^[A-Za-z0-9+/]{4,256}$/.test(ufrag)) throw new DecodeError('ice/ice-ufrag');
  if (!/^[A-Za-z0-9+/]{22,256}$/.test(pwd)) throw new DecodeError('ice/ice-pwd');
}

/** Tags are ice-chars, and by custom also have hyphens and digits: `google-ice`. */
function readOptions(value: string): string[] {
  const tags = value.split(' ');
  if (!tags.every((tag) => /^[A-Za-z0-9+/-]+$/.test(tag))) throw new DecodeError('ice/ice-options');
  return tags;
}
