import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it, onTestFinished } from 'vitest';
import { addPeerOptions, type PeerCommandOptions, peerEnvironment } from '../../src/cli/peer-options.ts';
import { silentLog } from '../../src/index.ts';

const where = { servers: ['wss://meet.example.org'], stun: [] };

/** Whether the peer of a command with these options asks gateways for mappings. */
function maps(args: readonly string[], at = where): boolean {
  const command = addPeerOptions(new Command()).parse(args, { from: 'user' });
  return peerEnvironment(command.opts<PeerCommandOptions>(), at, silentLog).mappers!.length > 0;
}

/** A file that goes with the test. */
function fileWith(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-turn-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'servers'), text);
  return join(folder, 'servers');
}

describe('the TURN servers of a command’s peer', () => {
  const at = (args: readonly string[]): readonly string[] => {
    const command = addPeerOptions(new Command()).parse(args, { from: 'user' });
    const env = peerEnvironment(command.opts<PeerCommandOptions>(), where, silentLog);
    return env.relays!.map((create) => create(env).name);
  };

  it('are those of each --turn, and of the files that it names', () => {
    const file = fileWith('turn:user:one@192.0.2.2\n\n  turn:user:two@[2001:db8::2]:99?transport=tcp\n');
    expect(at([])).toEqual([]);
    expect(at(['--turn', 'turn:user:password@turn.example.org:80', '--turn', `@${file}`])).toEqual([
      'turn:turn.example.org:80?transport=udp',
      'turn:192.0.2.2:3478?transport=udp',
      'turn:[2001:db8::2]:99?transport=tcp',
    ]);
  });

  it('must be there', () => {
    const empty = fileWith('\n');
    for (const argument of [`@${empty}`, '@/nowhere/servers', 'turn.example.org']) {
      expect(() => at(['--turn', argument])).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }));
    }
  });
});

describe('the ports of a command’s peer', () => {
  it('are mapped, unless it is told not to', () => {
    expect(maps([])).toBe(true);
    expect(maps(['--no-map'])).toBe(false);
  });

  it('are not mapped where every server is on this machine', () => {
    expect(maps([], { ...where, servers: ['ws://127.0.0.1:8790'] })).toBe(false);
  });
});
