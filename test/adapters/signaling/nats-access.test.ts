import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { filter, firstValueFrom } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/adapters/node/clock.ts';
import { cryptoRandom } from '../../../src/adapters/node/random.ts';
import { type NatsSignalingOptions, natsSignaling } from '../../../src/adapters/signaling/nats.ts';
import type { Signaling, SignalingStatus } from '../../../src/core/signaling.ts';
import { makeCertificate } from '../../lab/tls.ts';
import { manualClock } from '../../manual-clock.ts';
import { filled, testIdentity } from '../../protocol/rendezvous/support.ts';
import { natsAccount } from './nats-account.ts';
import { describeWithNats, type NatsServer, startNatsServer } from './nats-server.ts';

const releases: (() => unknown)[] = [];
afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
});

async function serve(args: readonly string[] = []): Promise<NatsServer> {
  const server = await startNatsServer(args);
  releases.push(server.stop);
  return server;
}

/** A server with this configuration file. */
async function serveWith(configuration: string): Promise<NatsServer> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-nats-'));
  releases.push(() => rm(folder, { recursive: true }));
  writeFileSync(join(folder, 'nats.conf'), configuration);
  return serve(['-c', join(folder, 'nats.conf')]);
}

function open(options: Partial<NatsSignalingOptions> & { url: string }): Signaling {
  const signaling = natsSignaling({ clock: systemClock(), random: cryptoRandom(), ...options });
  releases.push(() => signaling.close());
  return signaling;
}

function status<S extends SignalingStatus['state']>(signaling: Signaling, state: S) {
  const isWanted = (status: SignalingStatus): status is Extract<SignalingStatus, { state: S }> =>
    status.state === state;
  return firstValueFrom(signaling.status$.pipe(filter(isWanted)));
}

describe('a NATS server that is not named as one', () => {
  it.each(['ws://127.0.0.1', 'nats://', '127.0.0.1:4222', ''])('is refused: %j', (url) => {
    expect(() => open({ url })).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }));
  });

  it.each(['nats://user:secret@127.0.0.1', 'tls://token@127.0.0.1'])(
    'is refused with a secret in its URL, which tickets name: %s',
    (url) => {
      expect(() => open({ url })).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }));
    },
  );
});

describeWithNats('access to a NATS server', () => {
  it('is asked for again after ever longer waits, up to 30 s, while there is no server', async () => {
    const server = await serve();
    await server.stop();
    const clock = manualClock();
    const signaling = open({ url: server.url, clock });
    for (const ceiling of [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
      const { code, retryIn } = await status(signaling, 'offline');
      expect(code).toBe('ERR_SERVER_UNREACHABLE');
      expect(retryIn).toBeGreaterThanOrEqual(ceiling / 2);
      expect(retryIn).toBeLessThanOrEqual(ceiling);
      clock.advance(retryIn!);
      expect(await firstValueFrom(signaling.status$)).toMatchObject({ state: 'connecting' });
    }
    await status(signaling, 'offline');
    signaling.close();
    expect(clock.pending).toBe(0);
  });

  it('is given to a token, and not asked for again after a wrong one', async () => {
    const { url } = await serve(['--auth', 'right']);
    await status(open({ url, token: 'right' }), 'online');
    for (const token of ['wrong', undefined]) {
      const signaling = open({ url, ...(token !== undefined && { token }) });
      expect(await status(signaling, 'offline')).toMatchObject({ code: 'ERR_TOKEN', retryIn: undefined });
    }
  });

  it('is given to a user', async () => {
    const { url } = await serve(['--user', 'ada', '--pass', 'secret']);
    await status(open({ url, user: { name: 'ada', password: 'secret' } }), 'online');
    const stranger = open({ url, user: { name: 'ada', password: 'guess' } });
    expect(await status(stranger, 'offline')).toMatchObject({ code: 'ERR_TOKEN' });
  });

  it('is given to the holder of credentials', async () => {
    const { configuration, creds } = natsAccount();
    const { url } = await serveWith(configuration);
    await status(open({ url, creds }), 'online');
    expect(await status(open({ url }), 'offline')).toMatchObject({ code: 'ERR_TOKEN' });
    expect(await status(open({ url, creds: natsAccount().creds }), 'offline')).toMatchObject({ code: 'ERR_TOKEN' });
  });

  it('is encrypted with tls://, by a certificate of a trusted authority', async () => {
    const { cert, key } = await makeCertificate('127.0.0.1');
    const server = await serve(['--tls', '--tlscert', cert, '--tlskey', key]);
    const url = server.url.replace('nats:', 'tls:');
    const trusting = open({ url, tls: { ca: readFileSync(cert, 'utf8') } });
    await status(trusting, 'online');
    expect(await status(open({ url }), 'offline')).toMatchObject({ code: 'ERR_SERVER_UNREACHABLE' });
  });

  it('is not had with tls:// from a server without TLS', async () => {
    const { url } = await serve();
    const signaling = open({ url: url.replace('nats:', 'tls:') });
    const { code, reason } = await status(signaling, 'offline');
    expect(code).toBe('ERR_SERVER_UNREACHABLE');
    expect(reason).toMatch(/tls/);
  });

  it('may be limited to some subjects: a listener without its own is told', async () => {
    const { url } = await serveWith(permissions({ subscribe: ['sallyport.1.at.>'], publish: ['sallyport.1.>'] }));
    const signaling = open({ url, user: LIMITED });
    const refusal = firstValueFrom(signaling.events$);
    signaling.register({ ...testIdentity(), standing: [] });
    expect(await refusal).toMatchObject({ type: 'error', code: 'ERR_SERVER_REFUSED' });
  });

  it('may be limited to some subjects: a dialer that may not reach a key is told', async () => {
    const { url } = await serveWith(permissions({ subscribe: ['sallyport.1.at.>'], publish: ['sallyport.1.host.>'] }));
    const signaling = open({ url, user: LIMITED });
    const refusal = firstValueFrom(signaling.events$);
    const session = filled(16, 1);
    signaling.offer({ session, to: filled(32, 2), ticketId: filled(16, 3), envelope: filled(10, 4) });
    expect(await refusal).toMatchObject({ type: 'error', code: 'ERR_SERVER_REFUSED', session });
  });

  it('is enough with the subjects that the documentation names', async () => {
    const identity = testIdentity();
    const key = Buffer.from(identity.key).toString('hex');
    const { url } = await serveWith(
      permissions({
        subscribe: [`sallyport.1.key.${key}.*`, 'sallyport.1.host.*.*', 'sallyport.1.at.*.*'],
        publish: ['sallyport.1.key.*.*', 'sallyport.1.host.*.*', 'sallyport.1.at.*.*'],
      }),
    );
    const [listener, dialer] = [open({ url, user: LIMITED }), open({ url, user: LIMITED })];
    const registered = firstValueFrom(listener.events$);
    listener.register({ ...identity, standing: [] });
    expect(await registered).toEqual({ type: 'registered' });
    const offered = firstValueFrom(listener.events$);
    const session = filled(16, 1);
    dialer.offer({ session, to: identity.key, ticketId: filled(16, 3), envelope: filled(10, 4) });
    expect(await offered).toMatchObject({ type: 'offer', session });
    const answered = firstValueFrom(dialer.events$);
    listener.send(session, filled(10, 5));
    expect(await answered).toMatchObject({ type: 'envelope', session });
  });
});

const LIMITED = { name: 'limited', password: 'secret' };

/** A configuration that lets one user use these subjects only. */
function permissions(subjects: { readonly subscribe: readonly string[]; readonly publish: readonly string[] }): string {
  const list = (names: readonly string[]): string => `{ allow: [${names.map((name) => `"${name}"`).join(', ')}] }`;
  const allowed = `{ subscribe: ${list(subjects.subscribe)}, publish: ${list(subjects.publish)} }`;
  return `authorization { users: [{ user: ${LIMITED.name}, password: ${LIMITED.password}, permissions: ${allowed} }] }`;
}
