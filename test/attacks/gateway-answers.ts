import type { ServerResponse } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { descriptionOf, soapAnswer, soapFault } from '../adapters/port-mapper/fake-gateway.ts';

/** Takes a response over. */
export type Answer = (response: ServerResponse) => void;

const SERVICE = 'urn:schemas-upnp-org:service:WANIPConnection:1';
const OK = 'HTTP/1.1 200 OK\r\n';

/** Answers over HTTP that are neither a description nor an answer to an action. */
export const WRONG_HTTP: readonly (readonly [string, Answer])[] = [
  ['says that it has 10 MB', raw(`${OK}Content-Length: 10485760\r\n\r\n<root>`)],
  ['has 10 MB', (response) => response.end(Buffer.alloc(10 * 2 ** 20, '<a>'))],
  ['has no end', (response) => endless(response, `${OK}\r\n`, '<a>'.repeat(1000))],
  [
    'has no end in chunks',
    (response) => endless(response, `${OK}Transfer-Encoding: chunked\r\n\r\n`, '3\r\n<a>\r\n'.repeat(1000)),
  ],
  ['has fields without end', (response) => endless(response, OK, 'X: y\r\n'.repeat(1000))],
  ['has a field without end', (response) => endless(response, `${OK}X: `, 'y'.repeat(1000))],
  ['has a field of blanks and a NUL', raw(`${OK}X: ${' '.repeat(8000)}\0\r\n\r\n`)],
  [
    'goes on for ever with 100 Continue',
    (response) => endless(response, '', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(100)),
  ],
  ['is shorter than it says', raw(`${OK}Content-Length: 99\r\n\r\n<root/>`)],
  ['is of two lengths', raw(`${OK}Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx`)],
  ['is of a negative length', raw(`${OK}Content-Length: -1\r\n\r\n`)],
  ['is of a length beyond all numbers', raw(`${OK}Content-Length: ${'9'.repeat(400)}\r\n\r\n`)],
  ['is in chunks of no size', raw(`${OK}Transfer-Encoding: chunked\r\n\r\nx\r\n`)],
  ['is in a chunk of 4 GB', raw(`${OK}Transfer-Encoding: chunked\r\n\r\nffffffff\r\n<root>`)],
  [
    'is in a chunk that is longer than it says',
    raw(`${OK}Transfer-Encoding: chunked\r\n\r\n1\r\n<root/>\r\n0\r\n\r\n`),
  ],
  ['is compressed', raw(`${OK}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`)],
  ['is not HTTP', raw('SSH-2.0-OpenSSH_9.2\r\n\r\n')],
  ['is nothing', raw('')],
  ['is not found', (response) => response.writeHead(404).end()],
];

/** Bodies that are no device description of a gateway. */
export const WRONG_XML: readonly (readonly [string, string])[] = [
  ['is empty', ''],
  ['is no XML', 'hello'],
  ['is broken XML', '<root><device><serviceList><serv'],
  ['is another XML', '<root><device/></root>'],
  ['is deep', '<root>'.repeat(10_000)],
  ['is deep and closed', `${'<a>'.repeat(4_000)}${'</a>'.repeat(4_000)}`],
  ['is broad', `<root>${'<a/>'.repeat(60_000)}</root>`],
  ['has an attribute of 200 KB', `<root a="${'x'.repeat(200_000)}"/>`],
  ['has 40,000 attributes', `<root ${'a="b" '.repeat(40_000)}/>`],
  ['is an entity bomb', `<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa">${'<!ENTITY b "&a;&a;">'.repeat(50)}]><root>&b;</root>`],
  ['has an entity of a file', '<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]><root>&a;</root>'],
  ['has a document type', '<!doctype root SYSTEM "http://127.0.0.66/"><root/>'],
  [
    'has 800 services and a base of 150 KB',
    `<root><URLBase>http://127.0.0.1/${'x'.repeat(150_000)}</URLBase><device><serviceList>${`<service><serviceType>${SERVICE}</serviceType><controlURL>x</controlURL></service>`.repeat(800)}</serviceList></device></root>`,
  ],
  ['names a control URL elsewhere', descriptionOf(SERVICE, 'http://127.0.0.66:8080/c')],
  ['names a control URL at a port that is not of HTTP', descriptionOf(SERVICE, 'http://127.0.0.1:25/c')],
  ['names a base elsewhere', descriptionOf(SERVICE, '/c', '<URLBase>http://127.0.0.66:8080/</URLBase>')],
];

/** Bodies that do not answer GetExternalIPAddress. */
export const WRONG_SOAP: readonly (readonly [string, string])[] = [
  ['is nothing', ''],
  ['is another XML', '<html><body>Please log in</body></html>'],
  ['is that to another action', soapAnswer('GetStatusInfo', SERVICE, {})],
  ['is a fault without a number', soapFault(Number.NaN)],
  ['is no address', soapAnswer('GetExternalIPAddress', SERVICE, { NewExternalIPAddress: 'http://evil/' })],
  ...['2001:db8::1', '127.0.0.1', '224.0.0.1', '255.255.255.255', '0.1.2.3'].map(
    (address) =>
      [
        `is the address ${address}`,
        soapAnswer('GetExternalIPAddress', SERVICE, { NewExternalIPAddress: address }),
      ] as const,
  ),
];

/** A byte every turn of the event loop, for as long as somebody reads. */
export async function dripping(response: ServerResponse): Promise<void> {
  for (const byte of `${OK}X-Patience: ${'x'.repeat(7_000)}`) {
    if (!response.socket?.writable) return;
    response.socket.write(byte);
    await setImmediate();
  }
}

/** These bytes instead of a response, and the end. */
function raw(bytes: string): Answer {
  return (response) => response.socket?.end(bytes, 'latin1');
}

/** As much as is taken. */
function endless({ socket }: ServerResponse, start: string, chunk: string): void {
  if (socket === null) return;
  const more = (): void => {
    while (socket.writable && socket.write(chunk));
  };
  socket.write(start);
  socket.on('drain', more);
  more();
}
