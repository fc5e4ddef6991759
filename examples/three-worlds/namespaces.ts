/** Two homes on one Linux machine: network namespaces, joined by cables, with the kernel's own NAT in their routers. */
import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** Why it cannot be done here; `undefined` where it can. */
export function obstacle(): string | undefined {
  if (process.platform !== 'linux') return 'there are network namespaces on Linux only';
  if (process.getuid?.() !== 0) return 'network namespaces and their NATs are made by root only';
  try {
    for (const program of ['ip', 'nft']) execFileSync(program, ['-V'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'it takes the programs ip (iproute2) and nft (nftables)';
  }
}

/** Runs the pair, each half a program behind a NAT of its own. */
export async function meetInNamespaces(): Promise<string> {
  const programs: Program[] = [];
  const start = async (namespace: string, ...args: string[]): Promise<string> => {
    const program = spawn('ip', ['netns', 'exec', namespace, ...NODE, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    programs.push(program);
    const [line] = await once(createInterface(program.stdout), 'line');
    return line;
  };
  try {
    for (const namespace of NAMESPACES) ip(`netns add ${namespace}`);
    internet();
    home('a', '198.51.100.2/24');
    home('b', '198.51.100.3/24');
    const url = await start(`${NAME}-internet`, 'serve', '198.51.100.1');
    const ticket = await start(`${NAME}-host-a`, 'listen', url);
    return await start(`${NAME}-host-b`, 'dial', ticket);
  } finally {
    await Promise.all(programs.reverse().map(end));
    for (const namespace of NAMESPACES) ip(`netns del ${namespace}`);
  }
}

type Program = ChildProcessByStdio<Writable, Readable, null>;

async function end(program: Program): Promise<void> {
  if (program.exitCode !== null) return;
  program.stdin.end();
  await once(program, 'exit');
}

/** A switch with the server on it. */
function internet(): void {
  const name = `${NAME}-internet`;
  ip(`-n ${name} link add switch type bridge`);
  ip(`-n ${name} address add 198.51.100.1/24 dev switch`);
  ip(`-n ${name} link set switch up`);
}

/** A router, with a cable to the switch and one to its host. */
function home(side: string, address: string): void {
  const [router, host] = [`${NAME}-router-${side}`, `${NAME}-host-${side}`];
  ip(`-n ${router} link add wan type veth peer name home-${side} netns ${NAME}-internet`);
  ip(`-n ${NAME}-internet link set home-${side} master switch up`);
  ip(`-n ${router} address add ${address} dev wan`);
  ip(`-n ${router} link set wan up`);
  ip(`-n ${router} link add lan type veth peer name eth0 netns ${host}`);
  ip(`-n ${router} address add 192.168.1.1/24 dev lan`);
  ip(`-n ${router} link set lan up`);
  ip(`-n ${host} address add 192.168.1.2/24 dev eth0`);
  ip(`-n ${host} link set eth0 up`);
  ip(`-n ${host} route add default via 192.168.1.1`);
  translate(router);
}

/** It masquerades, and drops what nobody asked for. */
function translate(namespace: string): void {
  const rules = `
    table ip home {
      chain translate { type nat hook postrouting priority srcnat; oifname wan masquerade; }
      chain input { type filter hook input priority filter; iifname wan drop; }
      chain forward { type filter hook forward priority filter; iifname wan ct state new drop; }
    }`;
  const script = `echo 1 > /proc/sys/net/ipv4/ip_forward; nft -f -`;
  execFileSync('ip', ['netns', 'exec', namespace, 'sh', '-ec', script], { input: rules });
}

function ip(command: string): void {
  execFileSync('ip', command.split(' '));
}

const NODE = [process.execPath, '--import', 'tsx', fileURLToPath(new URL('program.ts', import.meta.url))];
const NAME = `three-worlds-${process.pid}`;
const NAMESPACES = ['internet', 'router-a', 'host-a', 'router-b', 'host-b'].map((role) => `${NAME}-${role}`);
