/**
 * What is in front of this host: the tests of RFC 5780 section 4, against a server with two addresses.
 *
 *   node nat.mjs <server's address> <port> [patience in ms]
 *
 * Prints one line of JSON: {mapping, filtering, local, mapped}; `mapped` has one external `address:port` a test. Of a server
 * that does not answer within the patience (500 ms by default, for each test), {mapped: []}.
 * It has a STUN of its own, so that it is a witness for the library's and not its echo.
 */
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

const MAGIC_COOKIE = 0x2112_a442;
const BINDING_REQUEST = 0x0001;
const BINDING_SUCCESS = 0x0101;
const CHANGE_REQUEST = 0x0003;
const XOR_MAPPED_ADDRESS = 0x0020;
const OTHER_ADDRESS = 0x802c;
const CHANGE_IP_AND_PORT = 0x6;
const CHANGE_PORT = 0x2;

const [address, port, patience = '500'] = process.argv.slice(2);
const primary = { address, port: Number(port) };

const { mapped, local, mapping } = await testMapping();
const filtering = mapped.length === 0 ? undefined : await testFiltering();
console.log(JSON.stringify({ mapping, filtering, local, mapped }));

/** RFC 5780 section 4.3: the same socket asks three endpoints of the server. */
async function testMapping() {
  const socket = await open();
  const first = await ask(socket, primary);
  if (first === undefined) return { mapped: [], local: closed(socket) };
  const other = first.other;
  if (other === undefined) throw new Error('the server has no other address');
  const second = await ask(socket, { address: other.address, port: primary.port });
  const third = await ask(socket, other);
  if (second === undefined || third === undefined) throw new Error('the other address of the server does not answer');
  const [one, two, three] = [first, second, third].map((answer) => `${answer.mapped.address}:${answer.mapped.port}`);
  const mapping =
    one === two && two === three
      ? 'endpoint-independent'
      : two === three
        ? 'address-dependent'
        : 'address-and-port-dependent';
  return { mapping, mapped: [one, two, three], local: closed(socket) };
}

/** Section 4.4: fresh sockets ask the primary endpoint alone, and want the answer from another one. */
async function testFiltering() {
  const [fromOtherAddress, fromOtherPort] = await Promise.all([CHANGE_IP_AND_PORT, CHANGE_PORT].map(isLetIn));
  if (fromOtherAddress) return 'endpoint-independent';
  return fromOtherPort ? 'address-dependent' : 'address-and-port-dependent';
}

async function isLetIn(change) {
  const socket = await open();
  const answer = await ask(socket, primary, change);
  socket.close();
  return answer !== undefined;
}

async function open() {
  const socket = createSocket('udp4').bind(0);
  await once(socket, 'listening');
  return socket;
}

/** Closes the socket and gives its port. */
function closed(socket) {
  const { port } = socket.address();
  socket.close();
  return port;
}

/** Sends a Binding request up to three times; the first answer to any of them, or `undefined`. */
function ask(socket, to, change) {
  const request = encodeRequest(change);
  return new Promise((resolve) => {
    const send = () => socket.send(request, to.port, to.address);
    const repeat = setInterval(send, Number(patience) / 3);
    const finish = (answer) => {
      clearInterval(repeat);
      clearTimeout(giveUp);
      socket.off('message', receive);
      resolve(answer);
    };
    const giveUp = setTimeout(finish, Number(patience));
    const receive = (message) => {
      if (message.subarray(8, 20).equals(request.subarray(8, 20))) finish(decodeResponse(message));
    };
    socket.on('message', receive);
    send();
  });
}

function encodeRequest(change) {
  const attributes = Buffer.alloc(change === undefined ? 0 : 8);
  if (change !== undefined) {
    attributes.writeUInt16BE(CHANGE_REQUEST, 0);
    attributes.writeUInt16BE(4, 2);
    attributes.writeUInt32BE(change, 4);
  }
  const header = Buffer.alloc(8);
  header.writeUInt16BE(BINDING_REQUEST, 0);
  header.writeUInt16BE(attributes.length, 2);
  header.writeUInt32BE(MAGIC_COOKIE, 4);
  return Buffer.concat([header, randomBytes(12), attributes]);
}

function decodeResponse(message) {
  if (message.readUInt16BE(0) !== BINDING_SUCCESS) throw new Error(`not a success: ${message.toString('hex')}`);
  const answer = {};
  for (let at = 20; at < message.length; ) {
    const [type, length] = [message.readUInt16BE(at), message.readUInt16BE(at + 2)];
    const value = message.subarray(at + 4, at + 4 + length);
    if (type === XOR_MAPPED_ADDRESS) answer.mapped = decodeAddress(value, MAGIC_COOKIE);
    if (type === OTHER_ADDRESS) answer.other = decodeAddress(value, 0);
    at += 4 + Math.ceil(length / 4) * 4;
  }
  return answer;
}

/** IPv4 only: reserved, family, port, address, the last two under the mask. */
function decodeAddress(value, mask) {
  const bytes = [0, 8, 16, 24].map((shift, i) => value[4 + i] ^ ((mask >>> (24 - shift)) & 0xff));
  return { address: bytes.join('.'), port: value.readUInt16BE(2) ^ (mask >>> 16) };
}
