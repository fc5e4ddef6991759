import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addPeerOptions, type PeerCommandOptions, peerEnvironment } from '../../src/cli/peer-options.ts';
import { silentLog } from '../../src/index.ts';

const where = { servers: ['wss://meet.example.org'], stun: [] };

/** Whether the peer of a command with these options asks gateways for mappings. */
function maps(args: readonly string[], at = where): boolean {
  const command = addPeerOptions(new Command()).parse(args, { from: 'user' });
  return peerEnvironment(command.opts<PeerCommandOptions>(), at, silentLog).portLeases !== undefined;
}

describe('the ports of a command’s peer', () => {
  it('are mapped, unless it is told not to', () => {
    expect(maps([])).toBe(true);
    expect(maps(['--no-map'])).toBe(false);
  });

  it('are not mapped where every server is on this machine', () => {
    expect(maps([], { ...where, servers: ['ws://127.0.0.1:8790'] })).toBe(false);
  });
});
