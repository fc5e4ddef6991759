/** Peers that only a TURN server can join: coturn (Debian package `coturn`), and a rendezvous that relays nothing. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { listen, ofKind, runSallyport, runToEnd } from './commands.ts';
import { COTURN_PORT, startCoturn } from './net/coturn.ts';
import type { Host } from './net/host.ts';
import { createLab, type Lab } from './net/lab.ts';
import { NATS } from './net/nat.ts';
import { describeInLab } from './net/requirements.ts';

const USER = 'alice';
const PASSWORD = 'wonderland';

describeInLab('two users of the command line behind APD/APD NATs, and a TURN server', () => {
  let lab: Lab;
  let server: string;
  let turn: Host;
  let a: Host;
  let b: Host;

  beforeAll(async () => {
    lab = await createLab();
    const rendezvous = await lab.publicHost('server', { addresses: 2 });
    const [address, alternate] = rendezvous.addresses;
    const serving = ['serve', '--host', address!, '--stun-alternate', alternate!, '--open', '--no-relay'];
    await runSallyport(rendezvous, serving).line(/^relay /);
    server = `ws://${address}:8790`;
    turn = await lab.publicHost('turn');
    await startCoturn(turn, ['--lt-cred-mech', '--realm=lab', `--user=${USER}:${PASSWORD}`]);
    const sites = await Promise.all(['a', 'b'].map((name) => lab.site(name, { nat: NATS['APD/APD'] })));
    [a, b] = sites.map(({ hosts }) => hosts[0]!) as [Host, Host];
  });
  afterAll(() => lab.close());

  const url = (transport: string, password = PASSWORD): string =>
    `turn:${USER}:${password}@${turn.address}:${COTURN_PORT}?transport=${transport}`;

  /** Arguments that name a file with the server, as somebody would who has others on his machine. */
  async function fromFile(transport: string): Promise<readonly string[]> {
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-turn-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'turn'), `${url(transport)}\n`);
    return ['--turn', `@${join(folder, 'turn')}`];
  }

  /** Sends one message to an echo and back; gives the events of the dialer. */
  async function meet(ofDialer: readonly string[], ofListener: readonly string[]) {
    const listener = await listen(b, server, ['--echo', '--no-map', ...ofListener]);
    const dialing = ['connect', listener.ticket, '--json', '--no-map', '--message', 'hello', ...ofDialer];
    const outcome = await runToEnd(runSallyport(a, dialing));
    await listener.process.kill('SIGINT');
    return outcome;
  }

  it.each([
    ['udp', 'dialer', 'turn-udp'],
    ['tcp', 'dialer', 'turn-tcp'],
    ['udp', 'listener', 'turn-udp'],
    ['tcp', 'listener', 'turn-udp'],
  ])('over %s, of the %s: the echo comes back over %s', async (transport, side, expected) => {
    const args = await fromFile(transport);
    const { code, events } = await meet(side === 'dialer' ? args : [], side === 'listener' ? args : []);
    expect(code).toBe(0);
    expect(ofKind(events, 'message')).toMatchObject([{ text: 'hello' }]);
    const paths = ofKind(events, 'path').filter(({ kind }) => kind !== 'none');
    expect(new Set(paths.map(({ kind, transport }) => `${kind} ${transport}`))).toEqual(
      new Set([`relayed ${expected}`]),
    );
    expect(ofKind(events, 'verdict')).toMatchObject([{ outcome: 'relayed' }]);
    expect(JSON.stringify(events)).not.toContain(PASSWORD);
  });

  it('on both sides', async () => {
    const { code, events } = await meet(['--turn', url('udp')], ['--turn', url('tcp')]);
    expect(code).toBe(0);
    expect(ofKind(events, 'message')).toMatchObject([{ text: 'hello' }]);
    expect(ofKind(events, 'path').filter(({ kind }) => kind === 'direct')).toEqual([]);
  });

  it('with the wrong password: the verdict says so, and not which', async () => {
    const { code, events } = await meet(['--turn', url('udp', 'looking-glass')], []);
    expect(code).toBe(1);
    const [verdict] = ofKind(events, 'verdict');
    expect(verdict).toMatchObject({
      outcome: 'failed',
      attempts: expect.arrayContaining([
        expect.objectContaining({ strategy: 'turn', ok: false, reason: expect.stringContaining('401') }),
      ]),
    });
    expect(JSON.stringify(events)).not.toContain('looking-glass');
  });
});
