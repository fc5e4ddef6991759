/**
 * Sallyport's ICE agent by itself, told what to do by lines: `ice-program.ts`.
 *
 *   node --import tsx sallyport.ts <controlling|controlled> [<STUN server's address> <port>]
 *
 * Its status: {answered, heard, lost} counts the consent checks of the nominated pair that were answered, the requests that came on it, and
 * the pairs that were lost.
 */
import { cryptoRandom, nodeNetwork, systemClock } from '../../../../src/adapters/node/index.ts';
import { formatEndpoint } from '../../../../src/core/endpoint.ts';
import { silentLog } from '../../../../src/core/log.ts';
import type { IceRole } from '../../../../src/protocol/ice/index.ts';
import { createIceBridge } from '../../../../src/testing/index.ts';
import { obeyLines } from './ice-program.ts';

const [role, address, port] = process.argv.slice(2);
const bridge = await createIceBridge({
  env: {
    network: nodeNetwork(),
    clock: systemClock(),
    random: cryptoRandom(),
    log: silentLog,
    stun: address === undefined ? [] : [`${address}:${port}`],
    loopback: false,
  },
  role: role as IceRole,
});

let told: { ufrag: string; candidates: number; end: boolean } | undefined;
bridge.local$.subscribe(({ ufrag, pwd, candidates, end }) => {
  const isNew = told?.ufrag !== ufrag;
  if (isNew) console.log(`a=ice-ufrag:${ufrag}\na=ice-pwd:${pwd}`);
  for (const line of candidates.slice(isNew ? 0 : told?.candidates)) console.log(`a=${line}`);
  if (end && (isNew || !told?.end)) console.log('a=end-of-candidates');
  told = { ufrag, candidates: candidates.length, end };
});
bridge.nominated$.subscribe(({ local, remote }) =>
  console.log(`nominated ${formatEndpoint(local)} ${formatEndpoint(remote)}`),
);

const counts = { answered: 0, lost: 0 };
bridge.events$.subscribe((event) => {
  if (event.type === 'pair.confirmed' && event.pairId === bridge.nominated?.pairId) counts.answered++;
  if (event.type === 'pair.lost') counts.lost++;
});

const input = obeyLines({
  tell(description) {
    if (description === 'end') bridge.feed({ end: true });
    else if ('candidate' in description) bridge.feed({ candidates: [`candidate:${description.candidate}`] });
    else bridge.feed(description);
  },
  restart: () => bridge.restart(),
  send: (data) => void bridge.send(data),
  status: () => ({
    ...counts,
    heard: bridge.snapshot()?.pairs.find(({ id }) => id === bridge.nominated?.pairId)?.requestsReceived ?? 0,
    role: bridge.role,
    ...bridge.counters,
  }),
});
bridge.datagrams$.subscribe((data) => input.receive(data));
await input.ended;
bridge.close();
