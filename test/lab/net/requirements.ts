import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe } from 'vitest';

/** `describe` for tests in the laboratory: where it cannot run, they are skipped and stderr says why. */
export function describeInLab(title: string, body: () => void): void {
  const missing = missingRequirements();
  if (missing !== undefined) console.warn(`skipped: ${title}: ${missing}`);
  describe.skipIf(missing !== undefined)(title, body);
}

/** Whether a C program can be built with libnice; if not, stderr says what is missing for `title`. */
export function canBuildWithLibnice(title: string): boolean {
  const { status, error } = spawnSync('pkg-config', ['--exists', 'nice']);
  if (status === 0) return true;
  const missing = error === undefined ? 'libnice (packages libnice-dev, libglib2.0-dev)' : 'pkg-config';
  console.warn(`skipped: ${title}: it lacks ${missing}`);
  return false;
}

/** What the laboratory needs and does not have here, in one sentence; `undefined` when it can run. */
function missingRequirements(): string | undefined {
  const missing =
    process.platform === 'linux'
      ? [...CAPABILITIES.filter(({ bit }) => !isCapable(bit)).map(({ name }) => name), ...missingFiles()]
      : ['Linux'];
  return missing.length === 0 ? undefined : `the NAT laboratory needs root on Linux and lacks ${missing.join(', ')}`;
}

/** `linux/capability.h`: who may make namespaces and configure their networks. */
const CAPABILITIES = [
  { name: 'CAP_NET_ADMIN', bit: 12n },
  { name: 'CAP_SYS_ADMIN', bit: 21n },
];

/** Each with the Debian package that has it. */
const PROGRAMS = [
  { program: 'ip', from: 'iproute2' },
  { program: 'nft', from: 'nftables' },
  { program: 'conntrack', from: 'conntrack' },
  { program: 'turnserver', from: 'coturn' },
  { program: 'miniupnpd', from: 'miniupnpd-nftables' },
  { program: 'upnpc', from: 'miniupnpc' },
  { program: 'natpmpc', from: 'natpmpc' },
  { program: 'cc', from: 'gcc' },
];

function isCapable(bit: bigint): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return effective !== null && ((BigInt(`0x${effective[1]}`) >> bit) & 1n) === 1n;
}

function missingFiles(): string[] {
  const directories = (process.env.PATH ?? '').split(delimiter);
  const programs = PROGRAMS.filter(
    ({ program }) => !directories.some((directory) => isAccessible(join(directory, program), constants.X_OK)),
  );
  const device = isAccessible('/dev/net/tun', constants.R_OK | constants.W_OK) ? [] : ['/dev/net/tun'];
  const ipv6 = isAccessible('/proc/sys/net/ipv6', constants.R_OK) ? [] : ['IPv6'];
  return [...programs.map(({ program, from }) => `${program} (package ${from})`), ...device, ...ipv6];
}

function isAccessible(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
