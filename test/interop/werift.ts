import { firstValueFrom, Subject } from 'rxjs';
import { onTestFinished } from 'vitest';
import { Candidate, Connection } from 'werift';
import type { IceRole } from '../../src/protocol/ice/index.ts';
import type { IceBridge, IceDescription } from '../../src/testing/index.ts';

/** werift's ICE agent on loopback, closed with the test. It nominates aggressively (RFC 5245 section 8.1.1.2), and sends data back. */
export class Werift {
  readonly connection: Connection;
  readonly #connected = new Subject<void>();

  constructor(role: IceRole, addresses = ['127.0.0.1']) {
    const filterCandidatePair: Connection['options']['filterCandidatePair'] = ({ localCandidate }) =>
      addresses.includes(localCandidate.host);
    this.connection = new Connection(role === 'controlling', {
      useIpv6: false,
      additionalHostAddresses: addresses,
      filterCandidatePair,
    });
    this.connection.stunServer = undefined; // else it asks one on the internet
    this.connection.stateChanged.subscribe((state) => {
      if (state === 'connected') this.#connected.next();
    });
    this.connection.onData.subscribe((data) => void this.connection.send(data));
    onTestFinished(() => this.connection.close());
  }

  get role(): IceRole {
    return this.connection.iceControlling ? 'controlling' : 'controlled';
  }

  /** Its candidates on loopback, in the words of RFC 8839. */
  async gather(): Promise<string[]> {
    await this.connection.gatherCandidates();
    const { localCandidates } = this.connection;
    return localCandidates.filter(({ host }) => host.startsWith('127.')).map((each) => `candidate:${each.toSdp()}`);
  }

  /** Tells the bridge everything, and is told everything. */
  async meet(bridge: IceBridge): Promise<void> {
    this.tell(bridge, await this.gather());
    this.hear(bridge);
  }

  tell(bridge: IceBridge, candidates: readonly string[]): void {
    const { localUsername: ufrag, localPassword: pwd } = this.connection;
    bridge.feed({ ufrag, pwd, candidates, end: true });
  }

  /** Takes what the bridge has told, but for what `change` says instead, and begins. */
  hear({ local }: IceBridge, change: Partial<IceDescription> = {}): void {
    const { ufrag, pwd, candidates } = { ...local, ...change };
    this.connection.setRemoteParams({ iceLite: false, usernameFragment: ufrag, password: pwd });
    for (const line of candidates) this.hearCandidate(line);
    void this.connection.connect().catch((error) => this.#connected.error(error));
  }

  hearCandidate(line: string): void {
    void this.connection.addRemoteCandidate(Candidate.fromSdp(line.slice('candidate:'.length)));
  }

  /** Its pair, once it is connected; rejects when it gives up. */
  async nominated(): Promise<{ local: string; remote: string }> {
    if (this.connection.state !== 'connected') await firstValueFrom(this.#connected);
    const { localCandidate, remoteAddr } = this.connection.nominated!;
    return { local: `${localCandidate.host}:${localCandidate.port}`, remote: remoteAddr.join(':') };
  }
}
