// @ts-check
// One gateway, by the package nat-upnp, in a thread of its own: the package throws from inside its callbacks and waits for ever, and
// then this thread is what ends. Plain JavaScript, since a thread starts without the loader of TypeScript that tests run under.

import { parentPort, workerData } from 'node:worker_threads';

/**
 * The package's device, with what its types leave out.
 * @typedef {import('nat-upnp').Device & { description: string, services: string[] }} Device
 */

/** Bytes that answers may take in all; the package bounds nothing. */
const MAX_MEMORY = 64 * 2 ** 20;
/** Characters of an answer that the parent is given, which has to take it in one go: larger than any honest one. */
const MAX_ANSWER = 64 * 1024;
/** In ms. */
const WATCH_INTERVAL = 50;

/** Adds IGD version 2, and remembers the service, which the package would look up anew for each action. */
function mend(/** @type {Device} */ device) {
  device.services = ['urn:schemas-upnp-org:service:WANIPConnection:2', ...device.services];
  const getService = device.getService.bind(device);
  /** @type {Parameters<Parameters<typeof getService>[1]> | undefined} */
  let known;
  device.getService = (types, callback) => {
    if (known !== undefined) return callback(...known);
    getService(types, (...result) => {
      if (!result[0]) known = result;
      callback(...result);
    });
  };
  return device;
}

/** @returns {Promise<typeof import('nat-upnp') | undefined>} */
async function load() {
  try {
    return (await import(workerData.module)).default;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

/** Tells the parent what it found, then runs actions that the parent asks for. */
function serve(
  /** @type {typeof import('nat-upnp')} */ natUpnp,
  /** @type {import('node:worker_threads').MessagePort} */ port,
) {
  const { create } = natUpnp.device;
  natUpnp.device.create = (url) => mend(/** @type {Device} */ (create(url)));
  const client =
    /** @type {{ findGateway(callback: (error: Error | null, device: Device, local: string) => void): void }} */ (
      /** @type {unknown} */ (natUpnp.createClient())
    );
  const fail = (/** @type {Error} */ { message }) => port.postMessage({ type: 'failed', message });

  client.findGateway((error, device, local) => {
    if (error) return fail(error);
    device.getService(device.services, (error, found) => {
      if (error) fail(error);
      else port.postMessage({ type: 'found', location: device.description, service: found?.service, local });
    });
    port.on('message', ({ name, args }) => {
      device.run(name, args, (error, body) => {
        if (error) fail(error);
        else if (JSON.stringify(body ?? null).length > MAX_ANSWER)
          throw new RangeError(`an answer to ${name} is too long`);
        else port.postMessage({ type: 'answered', body });
      });
    });
  });
}

process.noDeprecation = true; // the package makes its buffers by `new Buffer`
setInterval(() => {
  const { external } = process.memoryUsage();
  if (external > MAX_MEMORY) throw new RangeError(`the gateway's answers take more than ${MAX_MEMORY} bytes`);
}, WATCH_INTERVAL).unref();

const natUpnp = await load();
if (natUpnp === undefined) parentPort?.postMessage({ type: 'missing' });
else if (parentPort !== null) serve(natUpnp, parentPort);
