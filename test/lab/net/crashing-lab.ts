/** Makes a lab with a process in it, says so on stdout, and waits to be killed: a program of `nats.test.ts`. */
import { createLab } from './lab.ts';

const lab = await createLab();
const host = await lab.publicHost('host');
const left = host.spawn('sleep', ['1000']);
console.log(JSON.stringify({ name: host.name, pid: left.pid }));
