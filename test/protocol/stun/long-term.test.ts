import { describe, expect, it } from 'vitest';
import {
  attribute,
  BINDING,
  decodeMessage,
  type EncodableAttribute,
  type EncodeOptions,
  encodeMessage,
  errorResponse,
  LongTermClient,
  LongTermServer,
  type LongTermServerOptions,
  longTermKey,
  PASSWORD_ALGORITHMS,
  type StunMessage,
  userHash,
} from '../../../src/protocol/stun/index.ts';
import { encodeNonceCookie, readNonceCookie } from '../../../src/protocol/stun/nonce-cookie.ts';
import { seededRandom } from '../../seeded-random.ts';

const REALM = 'example.org';
const ALICE = { username: 'alice', password: 'secret' };
const CLIENT = '192.0.2.1:4000';
const transactionId = new Uint8Array(12);

const newServer = (options: Partial<LongTermServerOptions> = {}) =>
  new LongTermServer({
    realm: REALM,
    users: { alice: 'secret', 'j\u00fcrgen m\u00fcller': 'p\u00e4ss' },
    random: seededRandom(1),
    nonceLifetime: 60_000,
    ...options,
  });

const request = (attributes: readonly EncodableAttribute[] = [], options: EncodeOptions = {}): StunMessage =>
  decodeMessage(encodeMessage({ class: 'request', method: BINDING, transactionId, attributes }, options));

/** The attributes of a challenge. */
function challenge(server: LongTermServer, client = CLIENT, now = 0): readonly EncodableAttribute[] {
  const refused = server.authenticate(request(), client, now);
  if (refused.accepted) throw new Error('let in without credentials');
  return refused.response.attributes;
}

const nonceOf = (attributes: readonly EncodableAttribute[]): EncodableAttribute =>
  attributes.find(({ type }) => type === 'nonce')!;

/** What the server thinks of a request: the user, or the code. */
function verdict(server: LongTermServer, message: StunMessage, client = CLIENT, now = 0): string | number {
  const answer = server.authenticate(message, client, now);
  return answer.accepted ? answer.user : answer.code;
}

/** A response to a request of {@link request}, as a client reads it. */
const response = (
  code: number | 'success',
  attributes: readonly EncodableAttribute[],
  options: EncodeOptions = {},
): StunMessage =>
  decodeMessage(
    encodeMessage(
      code === 'success'
        ? { class: 'success', method: BINDING, transactionId, attributes }
        : {
            class: 'error',
            method: BINDING,
            transactionId,
            attributes: [{ type: 'error-code', code, reason: '' }, ...attributes],
          },
      options,
    ),
  );

const realm: EncodableAttribute = { type: 'realm', value: REALM };
const nonce = (value: string): EncodableAttribute => ({ type: 'nonce', value });
const algorithms = (...codes: number[]): EncodableAttribute => ({
  type: 'password-algorithms',
  algorithms: codes.map((algorithm) => ({ algorithm, parameters: new Uint8Array(0) })),
});
const algorithm = (code: number): EncodableAttribute => ({
  type: 'password-algorithm',
  algorithm: code,
  parameters: new Uint8Array(0),
});
const { md5, sha256 } = PASSWORD_ALGORITHMS;

describe('the server (RFC 8489 section 9.2.4)', () => {
  it('challenges with realm, nonce and what it knows, which the nonce says too', () => {
    const attributes = challenge(newServer());
    expect(attributes.map(({ type }) => type)).toEqual(['error-code', 'realm', 'nonce', 'password-algorithms']);
    const { value } = nonceOf(attributes) as { value: string };
    expect(value).toMatch(/^obMatJos2wAAA/);
    expect(readNonceCookie(value)).toEqual({ passwordAlgorithms: true, usernameAnonymity: true });
  });

  it('lets a client of RFC 5389 in, by MD5', () => {
    const server = newServer();
    const integrityKey = longTermKey('alice', REALM, 'secret');
    const attributes = [{ type: 'username', value: 'alice' } as const, realm, nonceOf(challenge(server))];
    const answer = server.authenticate(request(attributes, { integrityKey }), CLIENT, 0);
    expect(answer).toEqual({ accepted: true, user: 'alice', signing: { integrityKey, algorithm: 'sha1' } });
    expect(verdict(server, request(attributes, { integrityKey: longTermKey('alice', REALM, 'x') }))).toBe(401);
  });

  it('lets a client in that has chosen SHA-256, or MD5', () => {
    const server = newServer();
    for (const [code, hash] of [
      [sha256, 'sha256'],
      [md5, 'md5'],
    ] as const) {
      const integrityKey = longTermKey('alice', REALM, 'secret', hash);
      const attributes = [
        { type: 'userhash', value: userHash('alice', REALM) } as const,
        realm,
        nonceOf(challenge(server)),
        algorithms(sha256, md5),
        algorithm(code),
      ];
      const answer = server.authenticate(request(attributes, { integrityKey, algorithm: 'sha256' }), CLIENT, 0);
      expect(answer).toEqual({ accepted: true, user: 'alice', signing: { integrityKey, algorithm: 'sha256' } });
    }
  });

  it('knows names and passwords in every normalisation form', () => {
    const server = newServer();
    const decomposed = { username: 'ju\u0308rgen\u00a0mu\u0308ller', password: 'pa\u0308ss' };
    const client = new LongTermClient(decomposed);
    const asked = response(401, challenge(server).slice(1));
    expect(client.judge(asked, false)).toBe('retry');
    const again = decodeMessage(client.encode({ class: 'request', method: BINDING, transactionId, attributes: [] }));
    expect(verdict(server, again)).toBe('j\u00fcrgen m\u00fcller');
  });

  const key = { integrityKey: longTermKey('alice', REALM, 'secret') };
  const name: EncodableAttribute = { type: 'username', value: 'alice' };
  it.each<[string, number, (fresh: EncodableAttribute) => EncodableAttribute[], EncodeOptions]>([
    ['no integrity', 401, (fresh) => [name, realm, fresh], {}],
    ['no name', 400, (fresh) => [realm, fresh], key],
    ['no realm', 400, (fresh) => [name, fresh], key],
    ['no nonce', 400, () => [name, realm], key],
    ['an unknown name', 401, (fresh) => [{ type: 'username', value: 'bob' }, realm, fresh], key],
    ['an unknown hash', 401, (fresh) => [{ type: 'userhash', value: new Uint8Array(32) }, realm, fresh], key],
    ['another realm', 401, (fresh) => [name, { type: 'realm', value: 'example.com' }, fresh], key],
    ['a nonce of its own', 438, () => [name, realm, nonce('mine')], key],
    [
      'a nonce that it has changed',
      438,
      (fresh) => [name, realm, nonce(`${(fresh as { value: string }).value}A`)],
      key,
    ],
    ['an algorithm without the list', 400, (fresh) => [name, realm, fresh, algorithm(sha256)], key],
    ['a list without algorithm', 400, (fresh) => [name, realm, fresh, algorithms(sha256, md5)], key],
    ['a shorter list', 400, (fresh) => [name, realm, fresh, algorithms(md5), algorithm(md5)], key],
    ['an unknown algorithm', 400, (fresh) => [name, realm, fresh, algorithms(sha256, md5), algorithm(9)], key],
  ])('answers %s with %i', (_name, code, attributes, options) => {
    const server = newServer();
    expect(verdict(server, request(attributes(nonceOf(challenge(server))), options))).toBe(code);
  });

  it('takes a nonce from whom it was given to, and for its lifetime', () => {
    const server = newServer();
    const fresh = nonceOf(challenge(server, CLIENT, 5_000));
    const message = request([name, realm, fresh], key);
    expect(verdict(server, message, CLIENT, 64_999)).toBe('alice');
    expect(verdict(server, message, CLIENT, 65_000)).toBe(438);
    expect(verdict(server, message, '192.0.2.1:4001', 5_000)).toBe(438);
    expect(verdict(server, message, CLIENT, 4_999)).toBe(438);
    expect(verdict(newServer({ random: seededRandom(2) }), message, CLIENT, 5_000)).toBe(438);
    expect(nonceOf(challenge(server, '192.0.2.1:4001', 5_000))).not.toEqual(fresh);
  });

  it('signs what it says of a stale nonce, and nothing else that it refuses', () => {
    const server = newServer();
    const stale = server.authenticate(request([name, realm, nonce('old')], key), CLIENT, 0);
    expect(stale).toMatchObject({ accepted: false, signing: { ...key, algorithm: 'sha1' } });
    expect(server.authenticate(request(), CLIENT, 0)).toMatchObject({ accepted: false, signing: {} });
  });
});

describe('the client (RFC 8489 section 9.2.5)', () => {
  const ask = { class: 'request', method: BINDING, transactionId, attributes: [] } as const;
  const challenged = (attributes: readonly EncodableAttribute[]): LongTermClient => {
    const client = new LongTermClient(ALICE);
    expect(client.judge(response(401, attributes), false)).toBe('retry');
    return client;
  };
  const modern = nonce(`${encodeNonceCookie({ passwordAlgorithms: true, usernameAnonymity: true })}xyz`);

  it('answers a challenge with the first algorithm that it knows, and by a hash where names are not to be seen', () => {
    const client = challenged([realm, modern, algorithms(9, sha256, md5)]);
    const sent = decodeMessage(client.encode(ask));
    expect(sent.attributes.map(({ type }) => type)).toEqual([
      'userhash',
      'realm',
      'nonce',
      'password-algorithms',
      'password-algorithm',
      'message-integrity-sha256',
    ]);
    expect(attribute(sent, 'password-algorithm')?.algorithm).toBe(sha256);
    expect(attribute(sent, 'password-algorithms')?.algorithms.map((each) => each.algorithm)).toEqual([9, sha256, md5]);
    expect(Buffer.from(client.encode(ask)).includes('alice')).toBe(false);
  });

  it('answers a challenge of RFC 5389 by MD5', () => {
    const sent = decodeMessage(challenged([realm, nonce('n')]).encode(ask));
    expect(sent.attributes.map(({ type }) => type)).toEqual(['username', 'realm', 'nonce', 'message-integrity']);
  });

  it('does not answer what it cannot, or where somebody has cut the list of algorithms off', () => {
    for (const attributes of [
      [],
      [realm],
      [nonce('n')],
      [realm, modern],
      [realm, modern, algorithms()],
      [realm, modern, algorithms(9)],
    ]) {
      expect(new LongTermClient(ALICE).judge(response(401, attributes), false)).toBe('denied');
    }
  });

  it('is denied when its credentials are refused, and asked again when its nonce is stale', () => {
    const client = challenged([realm, nonce('n')]);
    expect(client.judge(response(401, [realm, nonce('m')]), true)).toBe('denied');
    expect(client.judge(response(438, [nonce('m')]), true)).toBe('retry');
    expect(attribute(decodeMessage(client.encode(ask)), 'nonce')?.value).toBe('m');
    expect(client.judge(response(438, []), true)).toBe('denied');
  });

  it('does not go back to the weaker ways', () => {
    const client = challenged([realm, modern, algorithms(sha256)]);
    expect(client.judge(response(438, [realm, nonce('old times')]), true)).toBe('denied');
    const integrityKey = longTermKey('alice', REALM, 'secret', 'sha256');
    expect(client.judge(response('success', [], { integrityKey, algorithm: 'sha256' }), true)).toBe('authentic');
    expect(client.judge(response('success', [], { integrityKey }), true)).toBe('unauthenticated');
    client.forget();
    expect(client.judge(response(401, [realm, nonce('another server')]), false)).toBe('retry');
  });

  it('takes a response only with the right signature, once its request had one', () => {
    const client = challenged([realm, nonce('n')]);
    const integrityKey = longTermKey('alice', REALM, 'secret');
    expect(client.judge(response('success', []), false)).toBe('authentic');
    for (const [options, judgement] of [
      [{}, 'unauthenticated'],
      [{ integrityKey: new Uint8Array(16) }, 'unauthenticated'],
      [{ integrityKey }, 'authentic'],
    ] as const) {
      expect(client.judge(response('success', [], options), true)).toBe(judgement);
      expect(client.judge(response(400, [], options), true)).toBe(judgement);
    }
    expect(client.judge(response('success', [modern], { integrityKey }), true)).toBe('unauthenticated');
  });
});

describe('the nonce cookie', () => {
  it.each([
    [false, false, 'obMatJos2AAAA'],
    [true, false, 'obMatJos2gAAA'],
    [false, true, 'obMatJos2QAAA'],
    [true, true, 'obMatJos2wAAA'],
  ])('says algorithms %s, anonymity %s as %s', (passwordAlgorithms, usernameAnonymity, cookie) => {
    const features = { passwordAlgorithms, usernameAnonymity };
    expect(encodeNonceCookie(features)).toBe(cookie);
    expect(readNonceCookie(`${cookie}and more`)).toEqual(features);
  });

  it.each(['', 'obMatJos2', 'obMatJos2w', 'obMatJos2w=AA', 'obMatJos3wAAA', 'wAAA'])('%j says nothing', (text) => {
    expect(readNonceCookie(text)).toEqual({ passwordAlgorithms: false, usernameAnonymity: false });
  });
});

it('an error response carries what its code asks for', () => {
  expect(errorResponse({ method: 3, transactionId }, 508)).toMatchObject({
    attributes: [{ type: 'error-code', code: 508, reason: 'Insufficient Capacity' }],
  });
});
