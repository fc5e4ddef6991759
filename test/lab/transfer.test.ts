import { type ChildProcess, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Rendezvous, sallyport, serve, spawnJson } from './commands.ts';
import type { Host } from './net/host.ts';
import { createLab, type Lab, type Site } from './net/lab.ts';
import { NATS } from './net/nat.ts';
import { describeInLab } from './net/requirements.ts';

const MIB = 2 ** 20;

describeInLab('files through the connection', () => {
  let lab: Lab;
  let rendezvous: Rendezvous;
  let folder: string;

  beforeAll(async () => {
    lab = await createLab();
    rendezvous = await serve(await lab.publicHost('server', { addresses: 2 }));
    folder = mkdtempSync(join(tmpdir(), 'sallyport-transfer-'));
  });
  afterAll(async () => {
    await lab?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const makeFile = (name: string, mib: number): string => {
    const file = join(folder, name);
    spawnSync('sh', ['-c', `head -c ${mib}M /dev/urandom > ${file}`]);
    return file;
  };

  it('1 GB over the direct path: same checksum, constant memory', async () => {
    const [a, b] = await sites('direct', 'EI/APD', 'EI/APD');
    const file = makeFile('giga', 1000);
    const { seconds, memory } = await send(a.hosts[0]!, b.hosts[0]!, file, join(folder, 'giga.out'));
    expect(await checksum(join(folder, 'giga.out'))).toBe(await checksum(file));
    expect(memory.sender, 'MiB at the peak').toBeLessThan(300);
    expect(memory.receiver, 'MiB at the peak').toBeLessThan(300);
    console.info(`direct: 1000 MiB in ${seconds.toFixed(1)} s, peak MiB ${JSON.stringify(memory)}`);
  }, 300_000);

  it('100 MB over the relay: same checksum, constant memory', async () => {
    const [a, b] = await sites('relay', 'APD/APD', 'APD/APD');
    const file = makeFile('relayed', 100);
    const { seconds, memory } = await send(a.hosts[0]!, b.hosts[0]!, file, join(folder, 'relayed.out'));
    expect(await checksum(join(folder, 'relayed.out'))).toBe(await checksum(file));
    expect(memory.sender, 'MiB at the peak').toBeLessThan(300);
    expect(memory.receiver, 'MiB at the peak').toBeLessThan(300);
    console.info(`relayed: 100 MiB in ${seconds.toFixed(1)} s, peak MiB ${JSON.stringify(memory)}`);
  }, 300_000);

  it('begins over the relay and moves to the direct path in the middle, every byte once and in order', async () => {
    const [a, b] = await sites('upgrade', 'EI/APD', 'EI/APD');
    const hold =
      'add table ip hold; add chain ip hold forward { type filter hook forward priority -10; }; add rule ip hold forward meta l4proto udp drop';
    await a.nat.run('nft', [hold]);
    const echoing = spawnJson(b.hosts[0]!, ['listen', '--server', rendezvous.url, '--forward', '9', '--json']);
    const service = b.hosts[0]!.spawnRaw(process.execPath, ['-e', ECHO_SERVICE]);
    const { ticket } = await echoing.until('ticket');
    const dialer = spawnJson(a.hosts[0]!, ['connect', String(ticket), '--forward', '9000', '--json']);
    await dialer.until('forwarding');
    const client = a.hosts[0]!.spawnRaw(process.execPath, ['-e', ECHO_CLIENT], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: client.stdout! })[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe('first echo');
    expect(dialer.events.filter(({ event, kind }) => event === 'path' && kind === 'direct')).toEqual([]);
    await a.nat.run('nft', ['delete table ip hold']);
    await dialer.until('path', ({ kind }) => kind === 'direct');
    expect((await lines.next()).value, 'the transfer was still going on').toMatch(/^in order so far, [1-9]/);
    client.kill('SIGUSR2');
    expect((await lines.next()).value).toMatch(/^same, [\d.]+ MiB$/);
    for (const child of [dialer.child, echoing.child, service]) child.kill('SIGINT');
  });

  async function sites(name: string, one: keyof typeof NATS, other: keyof typeof NATS): Promise<[Site, Site]> {
    return [await lab.site(`${name}-a`, { nat: NATS[one] }), await lab.site(`${name}-b`, { nat: NATS[other] })];
  }

  /** `listen > out` and `connect < file`, as a user would. */
  async function send(from: Host, to: Host, file: string, out: string) {
    const receiver = to.spawnRaw(...sallyport('listen', '--server', rendezvous.url), {
      stdio: ['ignore', openSync(out, 'w'), 'pipe'],
    });
    const ticket = await new Promise<string>((resolve) => {
      createInterface({ input: receiver.stderr! }).on('line', (line) => {
        if (line.startsWith('sp1')) resolve(line);
      });
    });
    const startedAt = performance.now();
    const sender = from.spawnRaw(...sallyport('connect', ticket), {
      stdio: [openSync(file, 'r'), 'ignore', 'inherit'],
    });
    const memory = { sender: 0, receiver: 0 };
    const watch = setInterval(() => {
      memory.sender = Math.max(memory.sender, peakMemory(sender));
      memory.receiver = Math.max(memory.receiver, peakMemory(receiver));
    }, 100);
    const codes = await Promise.all([ended(sender), ended(receiver)]);
    clearInterval(watch);
    expect(codes).toEqual([0, 0]);
    return { seconds: (performance.now() - startedAt) / 1000, memory };
  }
});

/** A TCP echo on port 9. */
const ECHO_SERVICE = `require('node:net').createServer((socket) => socket.pipe(socket)).listen(9, '127.0.0.1')`;

/**
 * Sends numbered blocks through port 9000 and checks that they come back in order; reports at its first echo, a second time after half a
 * second, and ends on SIGUSR2.
 */
const ECHO_CLIENT = `
const { connect } = require('node:net');
const BLOCK = 65536;
let sent = 0, received = 0, stop = false, reported = 0, rest = Buffer.alloc(0);
const socket = connect(9000, '127.0.0.1', pump);
process.on('SIGUSR2', () => { stop = true; });
function pump() {
  while (!stop) {
    const block = Buffer.alloc(BLOCK, sent & 255);
    block.writeUInt32BE(sent++);
    if (!socket.write(block)) return;
  }
  socket.end();
}
socket.on('drain', pump);
socket.on('data', (data) => {
  if (reported === 0) { console.log('first echo'); reported = 1; setTimeout(report, 2500); }
  rest = Buffer.concat([rest, data]);
  while (rest.length >= BLOCK) {
    const block = rest.subarray(0, BLOCK);
    const expected = Buffer.alloc(BLOCK, received & 255);
    expected.writeUInt32BE(received++);
    if (!block.equals(expected)) { console.log('differs at block ' + received); process.exit(1); }
    rest = rest.subarray(BLOCK);
  }
});
function report() { console.log('in order so far, ' + received); }
socket.on('end', () => {
  console.log(received === sent && rest.length === 0 ? 'same, ' + received * BLOCK / 2 ** 20 + ' MiB' : 'lost some');
  process.exit(0);
});
`;

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once('close', resolve));
}

/** MiB of resident memory at its peak so far; 0 once the process is gone. */
function peakMemory({ pid }: ChildProcess): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

function checksum(file: string): Promise<string> {
  const hash = createHash('sha256');
  return new Promise((resolve, reject) => {
    createReadStream(file, { highWaterMark: 4 * MIB })
      .on('data', (chunk) => hash.update(chunk))
      .on('error', reject)
      .on('end', () => resolve(hash.digest('hex')));
  });
}
