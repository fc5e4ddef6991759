/**
 * Whether TCP gets through, and how fast.
 *
 *   node tcp.mjs serve <bytes> <port>..                   < serving; then so many bytes to each who connects
 *   node tcp.mjs fetch <address> <port> <patience in ms>  < {"outcome": "fetched", "bytes", "seconds"}, {"outcome": "timeout"}
 *                                                           when no connection stands within the patience, or an errno
 */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

const [command, ...rest] = process.argv.slice(2);
if (command === 'serve') await serve(Number(rest[0]), rest.slice(1).map(Number));
else if (command === 'fetch') console.log(JSON.stringify(await fetchFrom(rest[0], Number(rest[1]), Number(rest[2]))));
else throw new Error(`not a command: ${command}`);

async function serve(bytes, ports) {
  const chunk = Buffer.alloc(64 * 1024);
  for (const port of ports) {
    const server = createServer(async (socket) => {
      for (let left = bytes; left > 0; left -= chunk.length) {
        if (!socket.write(chunk.subarray(0, left))) await once(socket, 'drain');
      }
      socket.end();
    });
    await once(server.listen(port), 'listening');
  }
  console.log('serving');
}

async function fetchFrom(host, port, patience) {
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(patience) });
  } catch (error) {
    socket.destroy();
    return { outcome: error.name === 'AbortError' ? 'timeout' : error.code };
  }
  const start = performance.now();
  let bytes = 0;
  for await (const chunk of socket) bytes += chunk.length;
  return { outcome: 'fetched', bytes, seconds: (performance.now() - start) / 1000 };
}
