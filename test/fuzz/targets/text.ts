import { InvalidArgumentError } from 'commander';
import { identityFromPem } from '../../../src/adapters/node/identity.ts';
import { parseDuration } from '../../../src/cli/duration.ts';
import { parseHostPort } from '../../../src/cli/host-port.ts';
import { formatEndpoint, parseEndpoint } from '../../../src/core/endpoint.ts';
import { classifyAddress, formatIp, parseIp } from '../../../src/core/ip-address.ts';
import { normalizeServerUrl, parseServerName } from '../../../src/core/server-url.ts';
import { mutateText } from '../engine/mutate-text.ts';
import { attempt, must, mustEqual, type Target } from '../engine/target.ts';

/** Addresses and endpoints: what is read is written in one way, which is read as the same. */
export const addressText = textTarget(
  'address-text',
  [
    '192.0.2.1:80',
    '[2001:db8::1]:443',
    '[fe80::1%eth0]:1',
    '[::ffff:192.0.2.1]:65535',
    '1:2:3:4:5:6:7:8',
    '::',
    '::1',
    'ff02::1',
  ],
  (text) => {
    const ip = parseIp(text);
    if (ip !== undefined) {
      mustEqual(parseIp(formatIp(ip.bytes))?.bytes, ip.bytes, 'an address that was read can be written and read again');
      return `IPv${ip.family} ${classifyAddress(text)}`;
    }
    const at = parseEndpoint(text);
    if (at === undefined) return 'none';
    mustEqual(parseEndpoint(formatEndpoint(at)), at, 'an endpoint that was read can be written and read again');
    return `endpoint, ${classifyAddress(at.address)}`;
  },
);

export const serverUrl = textTarget(
  'server-url',
  [
    'ws://127.0.0.1:8790',
    'wss://meet.example.org/path?query#part',
    'ws://[2001:db8::1]:1/',
    'ws://user:word@host',
    'nonsense',
  ],
  (text) => {
    const once = normalizeServerUrl(text);
    must(normalizeServerUrl(once) === once, 'a normal form is its own', () => [once, normalizeServerUrl(once)]);
    return URL.canParse(text) ? `a URL${/^wss?:/i.test(text) ? ' of a server' : ''}` : 'no URL';
  },
);

export const serverName = textTarget(
  'server-name',
  ['meet.example.org:8790', '[2001:db8::1]:1', 'HOST', '127.0.0.1:80'],
  (text) => {
    const name = parseServerName(text);
    if (name === undefined) return 'none';
    must(parseServerName(name) === name, 'a normal form is its own', () => [name, parseServerName(name)]);
    return name.includes(']') ? 'IPv6' : 'a name';
  },
);

export const hostPort = textTarget(
  'host-port',
  ['127.0.0.1:22', '[::1]:80', '8080', 'example.org:65535', '65536', ':1'],
  (text) => {
    try {
      const { host, port } = parseHostPort(text);
      must(Number.isInteger(port) && port >= 1 && port <= 65_535, 'a port is a port', () => port);
      must(host !== '', 'a host is named');
      return host.includes(':') ? 'IPv6' : 'host';
    } catch (error) {
      if (error instanceof InvalidArgumentError) return 'wrong use';
      throw error;
    }
  },
);

export const duration = textTarget('duration', ['90s', '30m', '24h', '7d', '500ms', '1.5h', '10', ' 365d '], (text) => {
  const parsed = attempt(() => parseDuration(text), ['ERR_USAGE']);
  if ('outcome' in parsed) return parsed.outcome;
  must(parsed.value > 0 && parsed.value <= 365 * 86_400_000, 'a duration is within its range', () => parsed.value);
  return `a duration in ${/[a-z]*$/.exec(text.trim())?.[0] || 'seconds'}`;
});

const IDENTITY = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----
`;

/** A key of another kind (X25519), and none at all. */
const OTHERS = [
  '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VuBCIEIHB2u8Cqsqi9zMkUo1Zx2Mu2FS94zn92Kq60pMgJSYZ9\n-----END PRIVATE KEY-----\n',
  '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMC4CAQAw\n-----END ENCRYPTED PRIVATE KEY-----\n',
  '-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIA==\n-----END EC PRIVATE KEY-----\n',
];

/** What is in an identity file: a key of which all that is needed works, or `ERR_IDENTITY_FILE`. */
export const identityPem = textTarget(
  'identity-pem',
  [IDENTITY, ...OTHERS],
  (text) => {
    const read = attempt(() => identityFromPem(text), ['ERR_IDENTITY_FILE']);
    if ('outcome' in read) return read.outcome;
    const { publicKey, privateKeyPem } = read.value;
    must(publicKey.length === 32, 'a public key has 32 bytes');
    mustEqual(identityFromPem(privateKeyPem).publicKey, publicKey, 'the PEM is that of the same key');
    return 'an identity';
  },
  0.05,
);

function textTarget(name: string, seeds: readonly string[], read: (text: string) => string, share = 0.2): Target {
  return {
    name,
    seeds: seeds.map((text) => Buffer.from(text)),
    mutate: mutateText,
    share,
    run: (input) => read(Buffer.from(input).toString('utf8')),
  };
}
