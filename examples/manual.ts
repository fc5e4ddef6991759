/**
 * Two peers that meet by copy and paste, without any server. Run: `npx tsx examples/manual.ts`, which carries the two texts between two
 * processes by itself. By hand: `npx tsx examples/manual.ts listen` here, `npx tsx examples/manual.ts dial` there, and after the role a STUN
 * server (`host:port`) when there is a NAT in between.
 */
import { spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import { firstValueFrom, mergeMap } from 'rxjs';
import { createPeer } from 'sallyport';
import { MANUAL_URL, manualSignaling, nodeEnvironment, systemClock } from 'sallyport/node';
import { echo } from 'sallyport/streams';

const [role, ...stun] = process.argv.slice(2);
const manual = manualSignaling({ clock: systemClock() });
const env = {
  ...nodeEnvironment({ servers: [MANUAL_URL], stun, loopback: stun.length === 0 }),
  signaling: manual.signaling,
};

async function listen(): Promise<void> {
  await using peer = await createPeer({ env });
  const incoming = firstValueFrom(peer.incoming$);
  console.log(manual.invite(await peer.createTicket()));
  manual.accept(await ask('The reply?'));
  const connection = await incoming;
  connection.streams$.pipe(mergeMap((stream) => echo(stream))).subscribe();
  await connection.verdict;
}

async function dial(): Promise<void> {
  await using peer = await createPeer({ env });
  const connection = peer.connect(manual.open(await ask('The invitation?')));
  console.log(await firstValueFrom(manual.replies$));
  const stream = await connection.openStream();
  await stream.write(Buffer.from('hello'));
  await stream.end();
  for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read())
    console.log(`echo: ${Buffer.from(chunk)}`);
  console.log(`path: ${connection.path?.kind}, ${connection.path?.transport}`);
}

async function ask(question: string): Promise<string> {
  const { stdin: input, stderr: output } = process;
  // Only on a terminal: elsewhere nobody reads the question.
  const lines = createInterface({ input, ...(input.isTTY && { output }) });
  lines.setPrompt(`${question} `);
  if (input.isTTY) lines.prompt();
  const line = await nextLine(lines);
  lines.close();
  return line;
}

/** Both roles in two processes, and the texts carried from one to the other. */
async function carry(): Promise<void> {
  const [listener, dialer] = ['listen', 'dial'].map((name) =>
    spawn(process.execPath, [...process.execArgv, import.meta.filename, name], { stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  const [fromListener, fromDialer] = [listener!, dialer!].map(({ stdout }) => createInterface({ input: stdout }));
  dialer!.stdin.end(`${await nextLine(fromListener!)}\n`);
  listener!.stdin.end(`${await nextLine(fromDialer!)}\n`);
  for await (const line of fromDialer!) console.log(line);
}

function nextLine(lines: Interface): Promise<string> {
  return new Promise((resolve) => lines.once('line', resolve));
}

const roles: Readonly<Record<string, () => Promise<void>>> = { listen, dial };
await (roles[role ?? ''] ?? carry)();
