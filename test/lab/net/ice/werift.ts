/**
 * werift's ICE agent, told what to do by lines: `ice-program.ts`.
 *
 *   node --import tsx werift.ts <controlling|controlled> [<STUN server's address> <port>]
 *
 * After a restart it tells host candidates only: it does not ask the STUN server again for sockets that it keeps. Where that is not enough,
 * the pair is found when a consent check of the other side's old pair comes in, after up to 6 s.
 *
 * Its status: {consent} counts its consent checks, {answered} those of its requests on the nominated pair that were answered.
 */
import { Candidate, Connection } from 'werift';
import { obeyLines } from './ice-program.ts';

const [role, address, port] = process.argv.slice(2);
const connection = new Connection(role === 'controlling', {
  ...(address !== undefined && { stunServer: [address, Number(port)] }),
});
if (address === undefined) connection.stunServer = undefined; // else it asks one on the internet

connection.onIceCandidate.subscribe((candidate) => console.log(`a=candidate:${candidate.toSdp()}`));
connection.stateChanged.subscribe((state) => {
  console.log(`state ${state}`);
  if (state !== 'connected') return;
  const { localCandidate, remoteAddr } = connection.nominated!;
  console.log(`nominated ${endpoint(localCandidate.host, localCandidate.port)} ${endpoint(...remoteAddr)}`);
});

async function gather(): Promise<void> {
  console.log(`a=ice-ufrag:${connection.localUsername}\na=ice-pwd:${connection.localPassword}`);
  await connection.gatherCandidates();
  console.log('a=end-of-candidates');
}

function endpoint(host: string, at: number): string {
  return host.includes(':') ? `[${host}]:${at}` : `${host}:${at}`;
}

const input = obeyLines({
  tell(description) {
    if (description === 'end') void connection.addRemoteCandidate(undefined);
    else if ('candidate' in description) void connection.addRemoteCandidate(Candidate.fromSdp(description.candidate));
    else {
      connection.setRemoteParams({ iceLite: false, usernameFragment: description.ufrag, password: description.pwd });
      void connection.connect();
    }
  },
  restart() {
    void connection.restart();
    void gather();
  },
  send: (data) => void connection.send(Buffer.from(data)),
  status: () => ({
    consent: connection.nominated?.consentRequestsSent,
    answered: connection.nominated?.responsesReceived,
  }),
});
connection.onData.subscribe((data) => input.receive(data));
await gather();
await input.ended;
await connection.close();
