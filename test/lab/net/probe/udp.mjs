/**
 * A UDP socket that is told on stdin what to do, and says on stdout what it sees.
 *
 *   node udp.mjs [port] [4|6]                  IPv4 or IPv6, IPv4 by default
 *
 *   > send <address> <port> <count> <text>     < sent
 *   > ping <address> <port> <count>            < rtt <ms>, count times; the other side must be an `echo`
 *   > echo                                     < echoing; from now on it sends back what comes
 *                                              < bound <port>
 *                                              < from <address> <port> <text>
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const [port = '0', family = '4'] = process.argv.slice(2);
const socket = createSocket(`udp${family}`).bind(Number(port));
await once(socket, 'listening');
const handOver = promisify(socket.send.bind(socket));
const report = (data, { address, port }) => console.log(`from ${address} ${port} ${data}`);
socket.on('message', report);
console.log(`bound ${socket.address().port}`);

for await (const line of createInterface({ input: process.stdin })) {
  const [command, address, port, count, ...text] = line.split(' ');
  if (command === 'send') await send(address, Number(port), Number(count), text.join(' '));
  else if (command === 'ping') await ping(address, Number(port), Number(count));
  else if (command === 'echo') echo();
  else throw new Error(`not a command: ${line}`);
}
socket.close();

/** Says `sent` only when the kernel has them all: `send` looks every address up first, even a numeric one. */
async function send(address, port, count, text) {
  await Promise.all(Array.from({ length: count }, () => handOver(text, port, address)));
  console.log('sent');
}

async function ping(address, port, count) {
  socket.off('message', report);
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    socket.send('ping', port, address);
    await once(socket, 'message');
    console.log(`rtt ${performance.now() - start}`);
  }
  socket.on('message', report);
}

function echo() {
  socket.off('message', report).on('message', (data, { address, port }) => socket.send(data, port, address));
  console.log('echoing');
}
